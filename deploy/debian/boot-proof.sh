# Runs inside the booted root (boot-test.sh), as `sh -eux`. Every wait has an end.
trap '[ $? = 0 ] || journalctl --no-pager -n 80 -u "seawall*"' EXIT
says() { # COMMAND...: wait until it succeeds
    for _ in $(seq 100); do if "$@" > /dev/null 2>&1; then return 0; fi; sleep 0.3; done
    exit 1
}
status() { systemctl show --property="$2" --value "$1"; }
has() { status seawall@main StatusText | grep -q "$1"; }
is() { [ "$(status seawall@main ActiveState)" = "$1" ]; }

dpkg -i /srv/seawall.deb
echo "== the exchange under its unit"
systemctl start seawall-exchange
says sh -c 'journalctl -u seawall-exchange -o cat | grep -q "\"secret\""'
journalctl -u seawall-exchange -o cat | grep '"secret"' | head -n 1 > /srv/exchange.json
word() { python3 -c 'import json, sys; print(json.load(open("/srv/exchange.json"))[sys.argv[1]])' "$1"; }

echo "== an account, its settings and keys"
seawall-new-account main
sed -i 's|^environment = "testnet"|environment = "embedded"|; s|^# rest_url = .*|rest_url = "http://127.0.0.1:8800"|; s|^# realtime_url = .*|realtime_url = "ws://127.0.0.1:8800/realtime"|' /etc/seawall/main.toml
word key > /etc/seawall/credentials/main/seawall-key
word secret > /etc/seawall/credentials/main/seawall-secret
chmod 600 /etc/seawall/credentials/main/*
seawall-check main || [ $? = 3 ]

echo "== started: systemctl returns when the account was read whole"
systemctl start seawall@main
is active
has "0 of 0 positions covered"
[ "$(stat -c %U /var/lib/seawall/main)" = seawall ]
[ "$(status seawall@main NRestarts)" = 0 ]
says seawall status --config /etc/seawall/main.toml
seawall status --config /etc/seawall/main.toml
systemd-run --quiet --pipe --wait --collect --property=DynamicUser=yes --property=SupplementaryGroups=seawall \
    seawall status --socket /run/seawall/main/control.sock --json > /dev/null

echo "== the page, without a key"
systemctl start seawall-web@main
says python3 -c 'import urllib.request; urllib.request.urlopen("http://127.0.0.1:8790/").read()'

echo "== reload: a good one, and one that is refused"
sed -i 's|^level = "info"|level = "loud"|' /etc/seawall/main.toml
if systemctl reload seawall@main; then exit 1; fi  # a mere `!` would let it pass: the shell ends at no negated command
is active
sed -i 's|^level = "loud"|level = "info"|' /etc/seawall/main.toml
systemctl reload seawall@main
is active

echo "== kill -9: the last act, then a new start"
systemctl kill --kill-who=main --signal=KILL seawall@main
says sh -c '[ "$(systemctl show -P NRestarts seawall@main)" = 1 ]'
says is active
journalctl -u seawall@main -o cat | grep -q 'The guard was killed by SIGKILL'

echo "== a hang: the watchdog ends it, systemd starts it again"
systemctl kill --kill-who=main --signal=STOP seawall@main
for _ in $(seq 200); do [ "$(status seawall@main NRestarts)" = 2 ] && break; sleep 0.3; done
says is active
journalctl -u seawall@main -o cat | grep -q 'completed no decision cycle'

echo "== the exchange goes away during a start: it waits, and says so"
systemctl stop seawall@main
systemctl stop seawall-exchange
systemctl start --no-block seawall@main
says has "nothing is guarded: waiting for the exchange"
is activating
systemctl start seawall-exchange
says is active

echo "== an orderly stop, and the upgrade restarts nothing that is not there"
systemctl stop seawall@main
[ "$(status seawall@main Result)" = success ]
dpkg --purge seawall
[ ! -e /var/lib/seawall ] && [ ! -e /etc/seawall ]
echo "== all well"
