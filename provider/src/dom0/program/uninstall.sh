# Taking everything away

uninstall() {
  CONFIRMED='' PENDING='' EFFECTIVE=''
  converge || exit 65
  if rules_are_live; then
    complain "rules of xennet are still live; its program, hooks and declarations are kept"
    exit 65
  fi
  mark_removed
  stop_guard
  clean_saved_firewall
  hooks_remove
  remove_made
  # The declarations go late and the program last, so that an interrupted removal can be finished.
  forget_removed
  rm -rf "$ETC" "$RUN"
  rm -f "$PROGRAM"
  hooks_forget
}

# Whether RULES, as `converge` saw them last, hold a chain of ours; without its chain there is no rule and no jump.
rules_are_live() {
  # No here-document: some shells need a disk with room for one.
  printf '%s\n' "$RULES" | {
    table=''
    while read -r line; do
      case $line in '*'*) table=${line#?} ;; esac
      case $table$line in
        filter:XENNET-FORWARD\ * | filter:XENNET-INPUT\ *) exit 0 ;;
        mangle:XENNET-FORWARD\ *) exit 0 ;;
        nat:XENNET-PREROUTING\ * | nat:XENNET-POSTROUTING\ * | nat:XENNET-OUTPUT\ *) exit 0 ;;
      esac
    done
    exit 1
  }
}

# Other tools save the whole running rule set, ours included (firewall-port, `service iptables save`). Only lines of ours go; every other byte stays.
clean_saved_firewall() {
  [ -f "$SAVED_FIREWALL" ] && grep -q 'XENNET-' "$SAVED_FIREWALL" || return 0
  real=$(readlink -f "$SAVED_FIREWALL")
  cp -a "$real" "$real.xennet" &&
    sed -e '/^:XENNET-/d' -e '/^\(\[[0-9]*:[0-9]*\] \)\{0,1\}-A XENNET-/d' -e '/^\(\[[0-9]*:[0-9]*\] \)\{0,1\}-A .*-[jg] XENNET-[A-Z]* *$/d' "$real" >"$real.xennet" &&
    mv "$real.xennet" "$real"
}
