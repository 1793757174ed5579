# Sourced by run.sh and test.sh in the repository's root: what has to be there before Python can do the rest.
# Every step looks first and does nothing the second time. apt-get is called only for what is missing.

export OMP_WAIT_POLICY=PASSIVE # idle OpenMP threads would otherwise spin against the web server beside the model
export PIP_DISABLE_PIP_VERSION_CHECK=1

fail() {
    echo "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "This needs root: $*"
    fi
}

apt_install() { # PACKAGE...
    command -v apt-get >/dev/null || fail "Please install $* and start again."
    echo "Installing $* with apt-get"
    as_root apt-get -o DPkg::Lock::Timeout=300 update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@" </dev/null
}

find_python() { # prints the first interpreter that is new enough
    local candidate
    for candidate in "${PYTHON:-python3.11}" python3.12 python3.13 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

make_venv() { # .venv, with pip
    .venv/bin/python -c "import pip" 2>/dev/null && return
    local python
    if ! python=$(find_python); then
        apt_install python3
        python=$(find_python) || fail "Python 3.11 or newer is needed; PYTHON=/path/to/python names one."
    fi
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        apt_install "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
    "$python" -m venv --clear .venv
}

install() { # REQUIREMENTS...: each file once for what it says
    local file stamp
    for file in "$@"; do
        stamp=.venv/$file.sha256
        sha256sum --check --status "$stamp" 2>/dev/null && continue
        echo "Installing $file into .venv; the first time PyTorch takes several GB and some minutes"
        .venv/bin/python -m pip install -r "$file"
        sha256sum "$file" >"$stamp"
    done
}

check_scripts() { # lint and types of what runs in the browser; its unit tests run with pytest
    if ! command -v npm >/dev/null; then
        echo "No npm: the scripts that run in the browser are neither linted nor type-checked."
        return
    fi
    local stamp=node_modules/.lock.sha256
    if ! sha256sum --check --status "$stamp" 2>/dev/null; then
        npm ci --silent --no-fund --no-audit
        sha256sum package-lock.json >"$stamp"
    fi
    npm run --silent lint
    npm run --silent types
}

provide_browser() { # Chromium for the browser tests: Debian's, or Playwright's own where apt has none (Ubuntu)
    local name
    .venv/bin/python -m playwright --version >/dev/null 2>&1 || apt_install libatomic1 # its driver's only demand
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null && return
    done
    if command -v apt-get >/dev/null && (apt_install chromium); then
        return
    fi
    .venv/bin/python -m playwright install --with-deps chromium
}
