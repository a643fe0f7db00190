#!/bin/sh
# Makes the secrets of a compose project on its first start, and gives each reader its own. Later starts change nothing.
set -eu
umask 077
secret() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

if [ ! -s /run/redis/password ]; then secret >/run/redis/password; fi
password=$(cat /run/redis/password)
# Tasks live here: nothing may be evicted, and a write that was acknowledged is on disk within a second.
cat >/run/redis/redis.conf <<CONF
dir /data
requirepass $password
maxmemory 512mb
maxmemory-policy noeviction
appendonly yes
appendfsync everysec
save ""
CONF
chown -R 999:1000 /run/redis /redis-data
printf 'redis://:%s@redis:6379/0' "$password" >/run/agent/redis-url

if [ ! -s /run/metrics/token ]; then secret >/run/metrics/token; fi
cp /run/metrics/token /run/agent/metrics-token
chown -R 65534:65534 /run/metrics /prometheus-data /alertmanager-data

if [ ! -s /run/agent/api-key ]; then
  extraction-agent keys add compose --scopes "extract read review metrics admin" >/run/agent/api-key
fi
chown -R 1000:1000 /run/agent /agent-uploads

if [ ! -s /run/grafana/password ]; then secret >/run/grafana/password; fi
chown -R 472:0 /run/grafana /grafana-data
chown -R 10001:10001 /loki-data

# nginx: the shipped configuration, the colour that was active, and a certificate of its own until a real one is put there.
cp /nginx/nginx.conf /nginx/switch /nginx/upstream-blue.conf /nginx/upstream-green.conf /nginx-config/
if [ ! -s /nginx-config/upstream.conf ]; then cp /nginx/upstream-blue.conf /nginx-config/upstream.conf; fi
mkdir -p /nginx-config/tls
if [ ! -s /nginx-config/tls/tls.crt ]; then python /certificate.py /nginx-config/tls; fi
chown -R 101:101 /nginx-config
