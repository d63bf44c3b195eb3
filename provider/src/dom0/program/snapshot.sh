# Snapshot: what a provider reads

# Fills SNAPSHOT; false (and PROBLEM) when nobody can tell.
take_snapshot() {
  program=none format=none
  if [ -f "$PROGRAM" ]; then program=$(sed -n '2s/^# xennet program \([^ ]*\) .*/\1/p' "$PROGRAM"); fi
  if [ -f "$ETC/format" ]; then format=$(first_word "$ETC/format"); fi
  load_host || return 1
  consult snapshot || return 1
  SNAPSHOT=$(snapshot_text)
}

snapshot_text() {
  echo "xennet-snapshot 1"
  uuid=$(installation_uuid)
  echo "host ${uuid:--}"
  echo "boot $BOOT"
  echo "program ${program:-none}"
  echo "format $format"
  if [ -e "$ETC/off" ]; then echo "off yes"; else echo "off no"; fi
  echo "confirmed ${CONFIRMED:-none}"
  if [ -n "$PENDING" ]; then echo "pending $PENDING $(seconds_left)"; else echo "pending none"; fi
  printf '%s\n' "${ANSWER%?end}"
  surroundings
  for path in $LEFT; do echo "left $path"; done
  echo end
}

# What bears on us and is no rule, address or setting of ours.
surroundings() {
  client=${SSH_CLIENT-}
  client=${client%% *}
  case $client in
    '' | *[!0-9A-Fa-f.:]*) ;;
    *) echo "client ${client#::ffff:}" ;;
  esac
  for key in net.bridge.bridge-nf-call-iptables net.ipv4.conf.all.proxy_arp net.ipv4.conf.all.send_redirects net.ipv4.conf.all.arp_filter; do
    path=/proc/sys/$(echo "$key" | tr . /)
    # Not `read`: a shell that reads by the byte gets no line end from these files.
    if [ -r "$path" ]; then echo "sysctl $key $(cat "$path")"; fi
  done
  for path in "$PROGRAM" "$ETC" $(hooks_files); do
    if [ -e "$path" ]; then echo "file $path"; fi
  done
}

installation_uuid() { sed -n "s/^INSTALLATION_UUID=['\"]\{0,1\}\([0-9a-fA-F-]*\).*/\1/p" "$INVENTORY"; }

firewalld_active() { command -v systemctl >/dev/null && systemctl is-active firewalld >/dev/null 2>&1; }

uptime_now() {
  read -r NOW _ </proc/uptime
  NOW=${NOW%%.*}
}
