#!/usr/bin/env bash
# A role and a database for each service; a role can reach its own database and no other. Run once, by the image, when
# the data directory is made. `orderflow up --postgres` gives the roles passwords of its own.
set -euo pipefail

for service in orders inventory payments console psp; do
    psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        --set name="orderflow_$service" --set password="$ORDERFLOW_ROLES_PASSWORD" <<'SQL'
create role :"name" login password :'password';
create database :"name" owner :"name";
revoke connect on database :"name" from public;
SQL
done
