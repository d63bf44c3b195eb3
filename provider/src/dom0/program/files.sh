# Files, lock, messages

# Takes the lock; what was remembered in another boot is forgotten (before systemd, /var/run outlives a boot). From here on a caller that has gone changes nothing: what is under way
# ends, or is left pending.
open_files() {
  for _ in 1 2 3 4 5; do
    mkdir -p "$RUN" || {
      # Without the lock nobody else is at work either.
      [ -d "$ETC" ] || uninstall
      refuse STORE_FAILED "cannot make $RUN"
    }
    opened=no taken=no
    # Another run's removal may take the directory away in between. `command`, as some shells end where `exec` fails.
    if { command exec 9>>"$RUN/lock"; } 2>/dev/null; then
      opened=yes
      flock -w "$LOCK_WAIT" 9 || busy
      # A removal deletes the lock file while others wait for it: then it must be taken on the new one.
      # shellcheck disable=SC3013 # -ef is known to dash, bash and busybox
      if [ "$RUN/lock" -ef /proc/self/fd/9 ]; then taken=yes; break; fi
    fi
  done
  [ "$opened" = yes ] || refuse STORE_FAILED "cannot open $RUN/lock"
  [ "$taken" = yes ] || busy
  trap '' HUP INT PIPE TERM
  read -r BOOT </proc/sys/kernel/random/boot_id
  if [ "$(first_word "$RUN/boot")" != "$BOOT" ]; then
    rm -f "$RUN/bridges" "$RUN/former" "$RUN/wanted" "$RUN/applied" "$RUN/refused" "$RUN/ipv6-given"
    replace_file "$RUN/boot" "$BOOT"
  fi
}

# A shared look without making anything: the lock file is there only where something of ours runs, and may go at any moment with a removal.
share_lock() {
  if { command exec 9<"$RUN/lock"; } 2>/dev/null; then flock -s -w "$LOCK_WAIT" 9 || busy; fi
}

# What a caller has closed must not become a file of ours.
open_streams() {
  # Not by `:`, a failure of which ends some shells.
  true 7>&2 || exec 2>/dev/null
  true 2>/dev/null 7<&0 || exec </dev/null
  true 2>/dev/null 7>&1 || exec >/dev/null
}

# Former values and known bridges, which hold for this boot. They lie under /etc, as a /run that somebody wipes must not take them; only a disk without room sends them there. Version 2
# had them in no other place, without the boot.
records() { # <name>
  for file in "$RUN/$1" "$ETC/$1"; do
    [ -f "$file" ] || continue
    read -r word boot _ <"$file" || true
    if [ "$word" != boot ] && [ "$file" = "$RUN/$1" ] && [ "$(first_word "$RUN/boot")" = "$BOOT" ]; then cat "$file"; return; fi
    if [ "$word $boot" = "boot $BOOT" ]; then sed 1d "$file"; return; fi
  done
}

keep_records() { # <name>, lines on stdin
  kept=$(sed '/^$/d' | sort -u)
  kept="boot $BOOT${kept:+
$kept}"
  if printf '%s\n' "$kept" | store_text "$ETC/$1"; then rm -f "$RUN/$1"; else printf '%s\n' "$kept" | store_text "$RUN/$1"; fi
}

first_word() {
  word=''
  if [ -f "$1" ]; then read -r word _ <"$1" || true; fi
  printf '%s' "$word"
}

replace_file() { # <path> <text> [durable]
  { printf '%s\n' "$2" >"$1.new"; } 2>/dev/null || { rm -f "$1.new"; return 1; }
  # Without this a power cut could keep the new name and lose the text. Old coreutils ignore the argument and write everything out.
  if [ "${3-}" = durable ]; then sync -f "$1.new" 2>/dev/null || sync; fi
  mv -f "$1.new" "$1"
}

replace_with() { # <path> <mode>, text on stdin
  cat >"$1.xennet" && chmod "$2" "$1.xennet" && ! in_the_way "$1" && {
    # Into a directory that a link leads to it would be moved.
    [ ! -L "$1" ] || rm -f "$1"
    mv -f "$1.xennet" "$1"
  } && return
  rm -f "$1.xennet"
  return 1
}

# What is there already is not written: a host whose disk is full must be able to go back.
store_text() { # <path>, text on stdin
  given=$(cat; echo .)
  if [ -f "$1" ] && [ "$(cat "$1"; echo .)" = "$given" ]; then return 0; fi
  # A shell that cannot open the file says so itself.
  write_new "$1" && mv -f "$1.new" "$1" && return 0
  rm -f "$1.new"
  return 1
}

# Once more with a directory made anew: somebody may have wiped /run meanwhile.
write_new() { # <path>
  for _ in 1 2; do
    { printf '%s' "${given%.}" >"$1.new"; } 2>/dev/null && return
    mkdir -p "${1%/*}" 2>/dev/null || return
  done
  return 1
}

unstored() { fail STORE_FAILED "cannot write $1"; } # <path>

# The only way to say that something did not work. Always false.
fail() { # <code> <text>
  PROBLEM_CODE=$1 PROBLEM=${2:-$1}
  complain "$PROBLEM"
  return 1
}

pending_busy() {
  echo "error PENDING $PENDING $(seconds_left)"
  exit 75
}

busy() {
  echo "error BUSY another run of xennet holds the lock"
  exit 75
}

# The only way to end with 65: a caller always hears a code, and a text with it.
refuse() { # <code> <text>
  echo "error ${1:-HOST_PROGRAM_FAILED} ${2:-it does not say why}"
  exit 65
}

# After what has called `fail`.
give_up() { refuse "$PROBLEM_CODE" "$PROBLEM"; }

complain() {
  echo "xennet: $1" >&2 || true
  if command -v logger >/dev/null; then logger -t xennet -p daemon.err -- "$1" 2>/dev/null 9>&-; fi
  return 0
}
