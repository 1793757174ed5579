#!/usr/bin/env bash
# Runs a command with USAM_TEST_POSTGRESQL naming a scratch database, unless it names one already:
#     scripts/postgresql.sh .venv/bin/pytest tests/storage
# PostgreSQL comes from apt if there is none. Its server belongs to this command alone: it listens on a socket in a
# temporary folder, not on the network, and is gone with the command. Where PostgreSQL can neither be found nor
# installed, this says so and runs the command without it. The status is the command's.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

find_postgresql() { # prints the folder with initdb and pg_ctl, of the newest version; Debian keeps them out of PATH
    local found
    found=$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)
    found=${found:-$(command -v initdb)} && dirname "$found"
}

unprivileged() { # PostgreSQL refuses to run as root
    if [ "$(id -u)" = 0 ]; then
        (cd / && runuser -u postgres -- "$@") # its user, which Debian's package makes, may not see this folder
    else
        "$@"
    fi
}

stop() {
    unprivileged "$bin/pg_ctl" -D "$scratch/data" -m immediate stop >/dev/null || true
    rm -rf "$scratch"
}

[ -z "${USAM_TEST_POSTGRESQL:-}" ] || exec "$@"
bin=$(find_postgresql) || { (apt_install postgresql) && bin=$(find_postgresql); } || {
    echo "Not tested on PostgreSQL: it is not installed, and cannot be from here." >&2
    exec "$@"
}

scratch=$(unprivileged mktemp -d -t usam-postgresql-XXXXXX)
trap stop EXIT
unprivileged "$bin/initdb" -D "$scratch/data" -U usam -A trust -E UTF8 --locale=C --no-sync >/dev/null
# The folder of the socket is closed to everybody else on the machine. Nothing here has to survive a power cut.
unprivileged "$bin/pg_ctl" -D "$scratch/data" -l "$scratch/log" -w start >/dev/null \
    -o "-c listen_addresses='' -c unix_socket_directories='$scratch' -c fsync=off" || {
    cat "$scratch/log" >&2
    exit 1
}
USAM_TEST_POSTGRESQL="postgresql+psycopg://usam@/postgres?host=$scratch" "$@"
