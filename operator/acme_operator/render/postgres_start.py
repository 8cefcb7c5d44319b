"""The script that starts a Builtin PostgreSQL, as text for a ConfigMap. It runs alike in the official image and in the local
one, on a read-only root file system; this module renders nothing and knows no pod."""

START_SCRIPT = r"""#!/bin/sh
# Makes the cluster in $PGDATA where there is none, brings it in line with what is mounted, and becomes PostgreSQL.
set -eu
umask 077

admin_password=/etc/acme/admin/password
tls=/etc/acme/tls
config=/etc/acme/config/postgresql.conf
volume=$(dirname "$PGDATA")

stop() {
    echo "acme-start: $*" >&2
    exit 1
}

# Single-user mode reads one statement a line, and its exit code tells nothing of their success.
statements() {
    said=$(postgres --single -D "$1" -c log_statement=none -c log_min_error_statement=panic postgres 2>&1) ||
        stop "PostgreSQL did not start in single-user mode: $said"
    case $said in
    *ERROR:* | *FATAL:*) stop "PostgreSQL refused to set up the cluster: see the volume's state and the admin Secret" ;;
    esac
}

make_cluster() {
    # Made beside and renamed at the end: killed at any moment, there is a whole cluster or none.
    making=$PGDATA.making
    rm -rf "$making"
    initdb -D "$making" -U postgres --pwfile="$admin_password" --auth-local=peer --auth-host=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8 --locale-provider=builtin --builtin-locale=C.UTF-8 --data-checksums --no-instructions
    # A consumer's login reaches the databases it was given, and not PostgreSQL's own.
    statements "$making" <<'SQL'
REVOKE CONNECT, TEMPORARY ON DATABASE postgres FROM PUBLIC;
REVOKE CONNECT ON DATABASE template1 FROM PUBLIC;
SQL
    mv "$making" "$PGDATA"
    sync -f "$volume"
}

# A volume that outlived its datastore carries a password that nobody knows any more.
adopt_cluster() {
    had=$(cat "$PGDATA/PG_VERSION")
    [ "$had" = "$major" ] ||
        stop "the volume holds PostgreSQL $had and the image is PostgreSQL $major: ask for version $had, or move the data by dump and restore"
    # A volume plug-in that applies fsGroup opens the directory to the group, and PostgreSQL refuses to start on that.
    chmod 0700 "$PGDATA"
    secret=$(head -n 1 "$admin_password" | sed "s/'/''/g")
    statements "$PGDATA" <<SQL
ALTER ROLE postgres WITH LOGIN PASSWORD '$secret';
SQL
}

[ "$(id -u)" != 0 ] || stop "PostgreSQL does not run as root: set runAsUser"
for file in "$admin_password" "$tls/tls.crt" "$tls/tls.key" "$config"; do
    [ -r "$file" ] || stop "can't read $file: see the pod's volumes and fsGroup"
done
[ -w "$volume" ] || stop "can't write to $volume: see the volume's owner and fsGroup"
major=$(postgres --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')

if [ -s "$PGDATA/PG_VERSION" ]; then
    adopt_cluster
elif [ -d "$PGDATA" ] && [ -n "$(ls -A "$PGDATA")" ]; then
    stop "$PGDATA holds files and is no PostgreSQL cluster: empty it, or give the datastore another volume"
else
    rmdir "$PGDATA" 2>/dev/null || true
    make_cluster
fi

# Over the network only with TLS and a password; without one only the pod's own postgres user over the socket.
printf '%s\n' 'local all postgres peer' 'hostssl all all all scram-sha-256' >"$PGDATA/pg_hba.conf"

exec postgres -D "$PGDATA" -c config_file="$config" \
    -c hba_file="$PGDATA/pg_hba.conf" -c ident_file="$PGDATA/pg_ident.conf" \
    -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql \
    -c ssl=on -c ssl_cert_file="$tls/tls.crt" -c ssl_key_file="$tls/tls.key"
"""
