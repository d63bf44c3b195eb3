# Taking everything away

uninstall() {
  CONFIRMED='' PENDING='' EFFECTIVE='' LEFT=''
  converge || give_up
  if rules_are_live; then
    fail NOT_KEPT "rules of xennet are still live; its program, hooks and declarations are kept" || give_up
  fi
  mark_removed
  stop_guard
  clean_saved_firewall
  hooks_remove
  remove_made
  # The declarations go late and the program after them, so that an interrupted removal can be finished. The lock goes last: who waits for it must find no program that is about to go.
  forget_removed
  rm -rf "$ETC"
  rm -f "$PROGRAM"
  remove_unfinished
  rm -rf "$RUN"
  for path in "$ETC" "$PROGRAM"; do if [ -e "$path" ] || [ -L "$path" ]; then LEFT="$LEFT $path"; fi; done
  hooks_forget
}

# What an installation was writing when it was ended; one that is still at it has its number in the name.
remove_unfinished() {
  for unfinished in "$PROGRAM".new.*; do
    if [ -f "$unfinished" ] && [ ! -d "/proc/${unfinished##*.}" ]; then rm -f "$unfinished"; fi
  done
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

# Other tools save the whole running rule set, ours included (firewall-port, `service iptables save`), and people edit it. Only lines of ours go, and the jumps to them, without
# which the file would not load any more; every other byte stays.
clean_saved_firewall() {
  [ -f "$SAVED_FIREWALL" ] && grep -q 'XENNET-' "$SAVED_FIREWALL" || return 0
  real=$(readlink -f "$SAVED_FIREWALL")
  if leave_out=$(awk "$FRAGMENT_AWK$SAVED_FIREWALL_AWK" "$real"); then
    [ -n "$leave_out" ] || return 0
    # By a pipe: as an argument it could be too long.
    cp -a "$real" "$real.xennet" && printf '%s\n' "$leave_out" | sed -f /dev/stdin "$real" >"$real.xennet" && mv "$real.xennet" "$real" && return
  fi
  rm -f "$real.xennet"
  LEFT="$LEFT $real"
  complain "cannot take the rules of xennet out of $real; remove the lines that name chains XENNET-* by hand"
}
