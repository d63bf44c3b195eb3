# Commands

main() {
  open_streams
  read -r BOOT </proc/sys/kernel/random/boot_id
  command=${1-}
  [ $# -gt 0 ] && shift
  case $command in
    apply) [ $# = 0 ] || usage; cmd_apply ;;
    snapshot) [ $# = 0 ] || usage; cmd_snapshot ;;
    transact) [ $# = 0 ] || usage; cmd_transact ;;
    confirm) [ $# = 1 ] || usage; cmd_confirm "$(number "$1")" ;;
    revert) [ $# = 1 ] || usage; cmd_revert "$(number "$1")" ;;
    status) [ $# = 0 ] || usage; cmd_status ;;
    off) [ $# = 0 ] || usage; cmd_off ;;
    on) [ $# = 0 ] || usage; cmd_on ;;
    remove) case $# in 0) cmd_remove ;; 1) cmd_remove_one "$1" ;; *) usage ;; esac ;;
    help | -h | --help) cmd_help ;;
    *) usage ;;
  esac
}

usage() {
  echo "usage: xennet apply | snapshot | transact | confirm <n> | revert <n> | status | off | on | remove [<token>] | help" >&2
  exit 64
}

cmd_help() {
  cat <<EOF
xennet keeps the network settings that Pulumi stacks declared for this host, under $ETC.

  xennet status   what is declared and by which stack, what is active, pending, waiting, missing or shadowed; hits of each rule
  xennet off      takes everything of it off this host, through reboots and whatever stacks declare, until:
  xennet on       puts it back
  xennet apply    makes the host match at once; the host calls this itself at boot, when a bridge appears, and every minute
  xennet remove   takes everything off this host for good, the declarations and this program too
  xennet remove <token>   takes one declaration off this host, at once; 'xennet status' shows the tokens

  xennet snapshot, transact, confirm <n>, revert <n> are for the provider.
EOF
}

number() {
  case $1 in
    '' | *[!0-9]* | ??????????*) echo 0 ;;
    *) echo "$1" ;;
  esac
}

cmd_apply() {
  [ -d "$ETC" ] || exit 0
  open_files
  settle
  if [ "$SETTLED" = nothing ]; then return; fi
  retry_refused
  converge || give_up
  [ "$SETTLED" = no ] || hooks_follow
  if [ "$CHANGED" = yes ] || [ "$SETTLED" = yes ]; then echo changed; fi
}

cmd_snapshot() {
  share_lock
  read_generations
  take_snapshot || give_up
  printf '%s\n' "$SNAPSHOT"
}

cmd_transact() {
  transaction=$(cat)
  if firewalld_active; then refuse FIREWALLD "firewalld is active on this host; hosts with firewalld are not supported yet"; fi
  # A transaction that is refused leaves nothing behind: on a bare host it is checked before the first directory is made.
  if [ ! -d "$ETC" ]; then
    read_generations
    check_transaction
  fi
  open_files
  [ -x "$PROGRAM" ] || refuse PROGRAM_MISSING "$PROGRAM was removed meanwhile; install it again"
  settle keep
  check_transaction
  [ -z "$PENDING" ] || pending_busy
  # The program may have come with this transaction, onto a host with the hooks of an older one.
  hooks_follow
  mkdir -p "$ETC" || abandon STORE_FAILED "cannot make $ETC"
  stage_transaction
  if [ "$STAGED" = no ]; then stay_confirmed; fi
  outcomes
  if [ "$STAGED" = yes ]; then echo "pending $PENDING $(seconds_left)"; else echo unchanged; fi
  printf '%s\n' "$SNAPSHOT"
}

# The answer to a transaction that comes to nothing new: what it says of others is as true as of those that change something.
stay_confirmed() {
  # Who runs the stack again expects that what was refused is tried again.
  if [ -s "$RUN/refused" ]; then rm -f "$RUN/wanted"; fi
  if [ -z "$CONFIRMED" ]; then
    uninstall
    take_snapshot || give_up
  else
    UNDOING=''
    look_closely || give_up
  fi
}

cmd_confirm() {
  [ -d "$ETC" ] || refuse EXPIRED "$1"
  open_files
  read_generations
  # The answer to an earlier `confirm` may have been lost, or its run cut short.
  if [ "$CONFIRMED" = "$1" ] && [ "${PENDING:-$1}" = "$1" ]; then
    rm -f "$ETC/pending"
    drop_generations
    answer_confirmed "$1"
    return
  fi
  if [ "$PENDING" != "$1" ]; then
    settle
    [ "$SETTLED" = nothing ] || converge || true
    refuse EXPIRED "$1"
  fi
  # Who switched this host off wants no stack to switch it on, not by deleting everything and coming back either: the switch stays, with a generation that is empty.
  if [ ! -e "$ETC/off" ] && generation_is_empty "$1"; then
    uninstall
    answer_confirmed "$1"
    return
  fi
  replace_file "$ETC/confirmed" "$1" durable || refuse STORE_FAILED "cannot write $ETC/confirmed"
  rm -f "$ETC/pending"
  stop_guard
  read_generations
  drop_generations
  hooks_follow
  leave_mangle
  answer_confirmed "$1"
}

answer_confirmed() {
  echo "confirmed $1"
  read_generations
  take_snapshot || give_up
  printf '%s\n' "$SNAPSHOT"
}

# What was kept for the way back goes now. Should it fail, the next `apply` tries again; the confirmation stands.
leave_mangle() {
  if grep -q '^mangle :XENNET-' "$RUN/applied" 2>/dev/null; then converge; fi
  return 0
}

# Where nothing is declared any more it ends a removal that was cut short, of which the program alone may be left.
cmd_revert() {
  open_files
  read_generations
  [ "${PENDING:-$1}" = "$1" ] || pending_busy
  if [ -z "$PENDING" ] && [ "$CONFIRMED" = "$1" ]; then refuse CONFIRMED "$1 is confirmed already"; fi
  end_pending
  settle
  if [ "$SETTLED" != nothing ]; then
    drop_generations
    converge || give_up
    stop_guard
    hooks_follow
  fi
  echo "reverted $1"
}
