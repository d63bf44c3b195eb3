# Hooks of hosts with systemd

UNITS=/etc/systemd/system
ON_INTERFACE='when %I appears'
ON_TIMER='every minute'
UNIT_LINKS="multi-user.target.wants/xennet.service iptables.service.wants/xennet.service"

hooks_files_systemd() {
  for unit in xennet.service xennet@.service xennet-check.service xennet-check.timer $UNIT_LINKS; do echo "$UNITS/$unit"; done
  echo "$UDEV_RULE"
}

hooks_current_systemd() {
  for file in $(hooks_files_systemd); do [ -f "$file" ] || return 1; done
  ! sysv_left && [ "$(cd "$UNITS" && cat xennet.service xennet@.service xennet-check.service xennet-check.timer "$UDEV_RULE")" = "$(unit_service; unit_event "$ON_INTERFACE"; unit_event "$ON_TIMER"; unit_timer; udev_rule_systemd)" ]
}

# Version 1 of this program knew nothing else.
sysv_left() { [ -e /etc/init.d/xennet ] || [ -e /etc/cron.d/xennet ]; }

hooks_install_systemd() {
  if sysv_left; then hooks_remove_sysv; fi
  make_directory /etc/udev
  make_directory /etc/udev/rules.d
  unit_service | replace_with "$UNITS/xennet.service" 644
  unit_event "$ON_INTERFACE" | replace_with "$UNITS/xennet@.service" 644
  unit_event "$ON_TIMER" | replace_with "$UNITS/xennet-check.service" 644
  unit_timer | replace_with "$UNITS/xennet-check.timer" 644
  # As `systemctl enable` would, but on record.
  for link in $UNIT_LINKS; do
    make_directory "$UNITS/${link%/*}"
    in_the_way "$UNITS/$link" || { rm -f "$UNITS/$link" && ln -s "$UNITS/xennet.service" "$UNITS/$link"; }
  done
  udev_rule_systemd | replace_with "$UDEV_RULE" 644
  reload_systemd
  # Not awaited: it needs the lock that this run holds. The timer by name, as a service that runs already does not pull it in.
  systemctl --no-block start xennet.service xennet-check.timer >/dev/null 9>&- || complain "systemctl start xennet.service failed"
}

hooks_remove_systemd() {
  systemctl stop xennet-check.timer >/dev/null 2>&1 9>&-
  hooks_remove_sysv
  for file in $(hooks_files_systemd); do remove_hook "$file"; done
}

hooks_forget_systemd() {
  reload_systemd
  systemctl reset-failed 'xennet*' >/dev/null 2>&1 9>&-
  systemctl --no-block stop xennet.service >/dev/null 2>&1 9>&-
  return 0
}

reload_systemd() {
  systemctl daemon-reload >/dev/null 9>&- || complain "systemctl daemon-reload failed"
  if command -v udevadm >/dev/null; then udevadm control --reload-rules >/dev/null 2>&1 9>&-; fi
  return 0
}

# The rules, after the firewall's own and again whenever that is started or reloaded. When the firewall is stopped by hand this unit stops, the timer with it, and the other
# units need it: nothing comes back until the firewall does. `-`: a failure is told in the log and must not end the healing.
unit_service() {
  cat <<EOF
[Unit]
Description=Network settings declared under /etc/xennet
After=iptables.service
PartOf=iptables.service
ReloadPropagatedFrom=iptables.service
Wants=xennet-check.timer

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=-$PROGRAM apply
ExecReload=-$PROGRAM apply

[Install]
WantedBy=multi-user.target iptables.service
EOF
}

unit_event() { # <when>
  cat <<EOF
[Unit]
Description=Check of the network settings declared under /etc/xennet, $1
Requisite=xennet.service
PartOf=xennet.service
After=xennet.service iptables.service

[Service]
Type=oneshot
ExecStart=$PROGRAM apply
EOF
}

udev_rule_systemd() { echo 'SUBSYSTEM=="net", ACTION=="add", KERNEL!="lo|vif*|tap*", TAG+="systemd", ENV{SYSTEMD_WANTS}+="xennet@%k.service"'; }

unit_timer() {
  cat <<'EOF'
[Unit]
Description=Every minute a check of the network settings declared under /etc/xennet
PartOf=xennet.service

[Timer]
OnActiveSec=60
OnUnitActiveSec=60
AccuracySec=1
EOF
}

# Directories made here are on record, so that removal takes them away again and no others.
make_directory() {
  [ ! -d "$1" ] || return 0
  mkdir -m 755 "$1" && echo "$1" >>"$ETC/made"
}

remove_made() {
  [ -f "$ETC/made" ] || return 0
  sed '1!G;h;$!d' "$ETC/made" | while read -r made; do rmdir "$made" 2>/dev/null; done
  rm -f "$ETC/made"
}
