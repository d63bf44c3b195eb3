# Commands of the administrator at the console

cmd_status() {
  share_lock
  read_generations
  echo "xennet program $VERSION, format $FORMAT"
  if [ -e "$ETC/off" ]; then echo "OFF: switched off by 'xennet off'; 'xennet on' switches it on again"; fi
  if [ -n "$PENDING" ]; then
    echo "generation $PENDING is pending: the host goes back to ${CONFIRMED:-nothing} in $(seconds_left) s unless it is confirmed"
  elif [ -n "$CONFIRMED" ]; then
    echo "generation $CONFIRMED is confirmed"
  fi
  hooks_current || [ -z "$EFFECTIVE" ] || ! persistent "$EFFECTIVE" ||
    echo "MISSING, or not as this program writes them: the hooks that call 'xennet apply' at boot and every minute; the next pulumi up writes them"
  if [ -n "$EFFECTIVE" ] && persistent "$EFFECTIVE"; then
    hooks_idle | sed 's/$/: nothing puts back every minute what others change here ("service crond start"; at every boot "chkconfig crond on")/'
  fi
  load_host -c || give_up
  consult status || give_up
  printf '%s\n' "$ANSWER"
}

cmd_off() {
  [ -d "$ETC" ] || { echo "Nothing of xennet is on this host."; return; }
  open_files
  settle
  if [ "$SETTLED" != nothing ]; then
    replace_file "$ETC/off" off || refuse STORE_FAILED "cannot write $ETC/off"
    converge || give_up
  fi
  echo "xennet is off: its rules, addresses and settings are gone from this host until 'xennet on'."
}

cmd_on() {
  [ -d "$ETC" ] || { echo "Nothing of xennet is on this host."; return; }
  open_files
  settle
  if [ "$SETTLED" != nothing ]; then
    rm -f "$ETC/off"
    # It may have been all that was left.
    settle
    [ "$SETTLED" = nothing ] || converge || give_up
  fi
  case $SETTLED in
    nothing) echo "xennet is on. Nothing was declared for this host any more, so everything of xennet was removed from it." ;;
    *) echo "xennet is on." ;;
  esac
}

cmd_remove() {
  if [ -d "$ETC" ]; then open_files; fi
  uninstall
  [ -z "$LEFT" ] || refuse LEFT_BEHIND "xennet was removed from this host, except for$LEFT: see to that by hand."
  echo "Everything of xennet was removed from this host."
}

# For who stands at the console: no window, as for `off`.
cmd_remove_one() { # <token>
  has_token "$1" || refuse NOT_DECLARED "a token is 12 digits and letters from a to f; 'xennet status' shows them"
  [ -d "$ETC" ] || refuse NOT_DECLARED "nothing is declared on this host"
  open_files
  settle
  [ -z "$PENDING" ] || pending_busy
  gone=$(confirmed_dir)/$1.fragment
  if [ "$SETTLED" = nothing ] || { [ ! -e "$gone" ] && [ ! -L "$gone" ]; }; then refuse NOT_DECLARED "nothing with the token $1 is declared on this host; 'xennet status' shows the tokens"; fi
  next=$(next_generation) || refuse STORE_FAILED "cannot write $ETC/last"
  new=$ETC/generations/$next
  { rm -rf "$new.new" && mkdir -p "$new.new"; } || refuse STORE_FAILED "cannot make $new"
  copy_confirmed "$new.new"
  rm -f "$new.new/$1.fragment"
  mv "$new.new" "$new" || refuse STORE_FAILED "cannot name $new"
  if [ ! -e "$ETC/off" ] && generation_is_empty "$next"; then
    uninstall
  else
    replace_file "$ETC/confirmed" "$next" durable || refuse STORE_FAILED "cannot write $ETC/confirmed"
    read_generations
    drop_generations
    converge || give_up
    hooks_follow
  fi
  echo "$1 is declared on this host no more. Its stack sees that with 'pulumi refresh'."
}
