# Bridges: which one a network has

# Answers every `resolve <uuid>` of ANSWER in BRIDGES; `?` tells the model that the answer is of now, `- ?` that there is none, `old:<record>` that nobody could be asked: what was known before. Who knows no answer is asked once a run.
ask_bridges() {
  XE_DOWN=no OVS=''
  if uses_ovs; then OVS=$(ovs-vsctl --timeout=3 --bare --columns=name,external_ids list bridge 2>/dev/null | awk '
    BEGIN { name = "" }
    NF == 0 { name = ""; next }
    name == "" { name = $1; next }
    { for (i = 1; i <= NF; i++) if (index($i, "xs-network-uuids=") == 1) print name " ;" substr($i, 18) ";" }'); fi
  for uuid in $(printf '%s\n' "$ANSWER" | sed -n 's/^resolve //p'); do
    known=$(printf '%s\n' "$BRIDGES" | sed -n "s/^$uuid //p")
    name=$(bridge_of_network "$uuid" "${known%% *}")
    answered='? 0'
    case $name in
      XE_DOWN) XE_DOWN=yes answered=$(as_old "$known") name='' ;;
      OLD\ *) answered=$(as_old "$known") name=${name#OLD } ;;
      '') [ "$XE_DOWN" = no ] || answered=$(as_old "$known") ;;
    esac
    BRIDGES="$(printf '%s\n' "$BRIDGES" | grep -v "^$uuid ")
$uuid ${name:--} $answered"
    case $name:$answered in :* | *:old*) UNKNOWN_BRIDGES="$UNKNOWN_BRIDGES
$uuid ${name:--} $answered" ;; esac
  done
}

as_old() { # <name, number and highest number known before, or nothing>
  # shellcheck disable=SC2086 # its words
  set -- $1
  echo "old:${2:-0}:${1:--} ${3:-0}"
}

uses_ovs() {
  command -v ovs-vsctl >/dev/null || return 1
  [ "$(first_word /etc/xensource/network.conf)" = openvswitch ] || [ "$(first_word /etc/xensource/network.conf)" = vswitch ]
}

# Prints the name, or nothing when nobody knows it or the bridge of that name belongs to another network.
bridge_of_network() { # <uuid> <name known before>
  name=$(printf '%s\n' "$OVS" | grep -F ";$1;" | sed -n '1s/ .*//p')
  if [ -n "$name" ]; then echo "$name"; return; fi
  [ "$XE_DOWN" = no ] || return 0
  if ! name=$(ask_xe "$1"); then
    # Nobody can tell: the old name does no harm while no interface has it.
    if [ -n "$2" ] && ! ip link show dev "$2" >/dev/null 2>&1; then echo "OLD $2"; else echo XE_DOWN; fi
    return
  fi
  if [ -n "$name" ] && printf '%s\n' "$OVS" | grep -q -F "$name ;"; then
    complain "bridge $name belongs to another network than $1"
    return
  fi
  echo "$name"
}

# xe waits for a xapi that is starting; this program must not. There is no timeout(1) before EL6.
ask_xe() { # <uuid>
  command -v xe >/dev/null || return 1
  # A session of its own, so that the watch ends whatever xe has started too. By KILL, as both inherit what this program ignores.
  setsid xe network-list uuid="$1" params=bridge --minimal 2>/dev/null 9>&- &
  asked=$!
  # In one as well, so that nothing of it is left when xe has answered: systemd takes the run for unfinished while a `sleep` of it goes on, and misses the next bridge.
  # shellcheck disable=SC2016 # expanded by the watch
  setsid sh -c 'sleep "$1"; kill -KILL "-$2"' xennet-watch "$XE_LIMIT" "$asked" >/dev/null 2>&1 9>&- &
  watch=$!
  wait "$asked"
  result=$?
  # It may not have got as far as its session.
  kill -KILL "-$watch" 2>/dev/null || kill -KILL "$watch" 2>/dev/null
  return $result
}
