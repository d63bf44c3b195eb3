# Hooks of hosts without systemd

UDEV_RULE=/etc/udev/rules.d/95-xennet.rules

hooks_files_sysv() {
  echo /etc/init.d/xennet "$UDEV_RULE" /etc/cron.d/xennet
  boot_links
}

# What starts the script at boot, a link for each level there is: the one that leads to it, whatever number chkconfig gave it, else the one that ought to be. Where the script is
# gone none leads anywhere, and the link is the one that did.
boot_links() {
  for level in 2 3 4 5; do
    [ -d /etc/rc.d/rc$level.d ] || continue
    starts=/etc/rc.d/rc$level.d/S09xennet
    for link in "/etc/rc.d/rc$level.d"/S[0-9][0-9]xennet; do
      if starts_script "$link"; then starts=$link; break; fi
      if [ -L "$link" ] && [ ! -e "$link" ]; then starts=$link; fi
    done
    echo "$starts"
  done
}

# shellcheck disable=SC3013 # -ef is known to dash, bash and busybox
starts_script() { [ "$1" -ef /etc/init.d/xennet ]; }

hooks_current_sysv() {
  for file in $(hooks_files_sysv); do
    [ -f "$file" ] || return 1
    case $file in /etc/rc.d/*) starts_script "$file" || return 1 ;; esac
  done
  cron_takes_file && [ -x /etc/init.d/xennet ] && [ "$(cat /etc/init.d/xennet "$UDEV_RULE" /etc/cron.d/xennet)" = "$(init_script; udev_rule_sysv; cron_line)" ]
}

# Cron leaves a file alone that is not of root alone, or that anybody else may write or run, and says so in its log only.
cron_takes_file() {
  # shellcheck disable=SC2046 # its fields
  set -- $(ls -l -n /etc/cron.d/xennet)
  case $1:$2:$3 in -r[w-]-[r-]--[r-]--*:1:0) ;; *) return 1 ;; esac
}

hooks_install_sysv() {
  make_directory /etc/init.d
  make_directory /etc/udev
  make_directory /etc/udev/rules.d
  make_directory /etc/cron.d
  init_script | replace_with /etc/init.d/xennet 755
  udev_rule_sysv | replace_with "$UDEV_RULE" 644
  cron_line | replace_with /etc/cron.d/xennet 644
  # `--add` leaves a level alone that was switched off.
  if command -v chkconfig >/dev/null; then run_chkconfig --add xennet; run_chkconfig xennet on; fi
  for link in $(boot_links); do
    starts_script "$link" || in_the_way "$link" || {
      for other in "${link%/*}"/[KS][0-9][0-9]xennet; do if [ -f "$other" ] || [ -L "$other" ]; then rm -f "$other"; fi; done
      ln -s ../../init.d/xennet "$link"
    }
  done
}

# What it prints is no answer of this program.
run_chkconfig() { chkconfig "$@" >/dev/null 9>&- || complain "chkconfig $* failed"; }

hooks_remove_sysv() {
  if [ -f /etc/init.d/xennet ] && command -v chkconfig >/dev/null; then run_chkconfig --del xennet; fi
  for file in /etc/rc.d/rc[0-6].d/[SK][0-9][0-9]xennet /etc/init.d/xennet "$UDEV_RULE" /etc/cron.d/xennet; do remove_hook "$file"; done
}

udev_rule_sysv() { echo "SUBSYSTEM==\"net\", ACTION==\"add\", KERNEL!=\"vif*|tap*\", RUN+=\"/bin/sh -c '$PROGRAM apply </dev/null >/dev/null 2>&1 &'\""; }

cron_line() { echo "* * * * * root $PROGRAM apply >/dev/null 2>&1"; }

# Only where cron has the script of these hosts: whoever starts it otherwise is not known here.
cron_off() {
  [ -f /etc/init.d/crond ] || return 0
  grep -q -s '^Name:[[:space:]]*crond\{0,1\}$' /proc/[0-9]*/status || echo 'cron is not running'
  for link in /etc/rc.d/rc3.d/S[0-9][0-9]crond; do [ -e "$link" ] || echo 'cron is not started at boot'; done
}

init_script() {
  cat <<'EOF'
#!/bin/sh
# chkconfig: 2345 09 91
# description: Applies the network settings declared under /etc/xennet.
### BEGIN INIT INFO
# Provides: xennet
# Required-Start: $local_fs
# Default-Start: 2 3 4 5
# Default-Stop:
# Short-Description: network settings declared under /etc/xennet
### END INIT INFO
case "$1" in
  start|restart|reload|force-reload) /usr/local/sbin/xennet apply >/dev/null ;;
  stop) ;;
  status) /usr/local/sbin/xennet status ;;
  *) echo "usage: $0 start|stop|restart|status" >&2; exit 2 ;;
esac
EOF
}
