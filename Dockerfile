# U-SAM Studio without root. Everything that has to last is in /data:
#   docker build -t usam-studio .
#   docker run -p 127.0.0.1:7860:7860 -v usam-data:/data usam-studio
FROM python:3.11-slim

# bitsandbytes is linked against it.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt

COPY app.py LICENSE README.md ./
COPY usam usam
COPY storage storage
COPY ui ui

RUN useradd --create-home --uid 10001 studio && install -d -o studio -m 700 /data
USER studio
VOLUME /data
ENV USAM_DATA=/data/feedback \
    USAM_HOME=/data/weights \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    OMP_WAIT_POLICY=PASSIVE \
    MPLCONFIGDIR=/data/matplotlib \
    PYTHONDONTWRITEBYTECODE=1

EXPOSE 7860
# As the first process of a container, Python passes over SIGTERM.
STOPSIGNAL SIGINT
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/health')"]
CMD ["python", "-u", "app.py"]
