# Generations

# Sets CONFIRMED, PENDING (only while it is in force), DEADLINE, EFFECTIVE (a directory, or empty).
read_generations() {
  uptime_now
  read -r BOOT </proc/sys/kernel/random/boot_id
  CONFIRMED='' PENDING='' DEADLINE=0 EFFECTIVE=''
  if [ -f "$ETC/format" ]; then
    stored=$(first_word "$ETC/format")
    if [ "$(number "$stored")" -gt "$FORMAT" ]; then refuse FORMAT_NEWER "$ETC has format $stored, this program knows $FORMAT"; fi
  fi
  # A removal that was cut short: nothing is declared any more.
  [ ! -e "$ETC/removed" ] || return 0
  number='' boot='' deadline='' rest=''
  if [ -f "$ETC/pending" ]; then read -r number boot deadline rest <"$ETC/pending" || true; fi
  # Never guess: without its number the declarations are kept and the live state is left alone.
  if [ -e "$ETC/confirmed" ] || [ -L "$ETC/confirmed" ]; then
    CONFIRMED=$(number "$(first_word "$ETC/confirmed")")
    if [ "$CONFIRMED" = 0 ] || [ ! -d "$ETC/generations/$CONFIRMED" ]; then refuse CONFIRMED_UNREADABLE "$ETC/confirmed does not name a generation under $ETC/generations"; fi
  elif confirmed_is_lost "$(number "$number")"; then
    refuse CONFIRMED_UNREADABLE "$ETC/confirmed is missing, and $ETC/generations holds a generation that nothing says was never confirmed"
  fi
  if [ -f "$ETC/pending" ]; then
    if [ "$boot" = "$BOOT" ] && [ -z "$rest" ] && [ "$(number "$deadline")" -gt "$NOW" ] && [ -d "$ETC/generations/$(number "$number")" ]; then
      PENDING=$number DEADLINE=$deadline
    fi
  fi
  EFFECTIVE=${PENDING:-$CONFIRMED}
  EFFECTIVE=${EFFECTIVE:+$ETC/generations/$EFFECTIVE}
}

# A generation that was never confirmed is named in `pending` before it is there, and until it has gone.
confirmed_is_lost() { # <number in `pending`>
  for old in "$ETC"/generations/*; do
    case ${old##*/} in "$1" | *[!0-9]*) ;; *) [ ! -d "$old" ] || return 0 ;; esac
  done
  return 1
}

seconds_left() {
  uptime_now
  if [ "$DEADLINE" -gt "$NOW" ]; then echo $((DEADLINE - NOW)); else echo 0; fi
}

confirmed_dir() { [ -z "$CONFIRMED" ] || echo "$ETC/generations/$CONFIRMED"; }

# Ends what is over: an expired or foreign-boot pending generation, and a host on which nothing was ever confirmed, or all was deleted during `off` that is over. SETTLED: no, yes (went back), nothing (all is gone).
settle() { # [keep]: keep the files, a transaction follows
  SETTLED=no
  read_generations
  if [ -f "$ETC/pending" ] && [ -z "$PENDING" ]; then
    end_pending
    SETTLED=yes
  fi
  [ -z "$PENDING" ] || return 0
  if [ "${1-}" != keep ] && nothing_is_kept; then
    uninstall
    SETTLED=nothing
    return
  fi
  if [ -e "$ETC/removed" ]; then forget_removed; fi
  [ "$SETTLED" = no ] || drop_generations
}

nothing_is_kept() {
  [ -n "$CONFIRMED" ] || return 0
  [ ! -e "$ETC/off" ] || return 1
  for fragment in "$(confirmed_dir)"/*.fragment; do
    if [ -e "$fragment" ] || [ -L "$fragment" ]; then return 1; fi
  done
}

end_pending() {
  [ -n "$CONFIRMED" ] || mark_removed
  rm -f "$ETC/pending"
}

# From here on nothing is declared, whatever is there: a removal that is cut short ends in removal. A new name needs no room on the disk.
mark_removed() {
  [ -e "$ETC/removed" ] || mv "$ETC/generations" "$ETC/removed" 2>/dev/null || true
}

# The mark goes last.
forget_removed() {
  rm -rf "$ETC/confirmed" "$ETC/generations" "$ETC/pending"
  rm -rf "$ETC/removed"
}

drop_generations() {
  for old in "$ETC"/generations/*; do
    case $old in
      "$ETC/generations/$CONFIRMED" | "$ETC/generations/$PENDING") ;;
      *) rm -rf "$old" ;;
    esac
  done
}

# What cannot be read has no effect and keeps nothing alive.
generation_is_empty() {
  fragments_of "$ETC/generations/$1"
  readable=$(run_awk "$FRAGMENT_AWK"'BEGIN { chains_begin(); arguments_begin(); print readable_files(); exit }
    function readable_files(  i, n) { n = 0; for (i = 1; i <= files; i++) if (fragment_file(i, file[i])) n++; return n }') ||
    refuse HOST_PROGRAM_FAILED "awk failed (status $?) when it read generation $1"
  [ "$readable" = 0 ]
}

# The guard must outlive the caller's session and hold none of its descriptors: the lock above all, which would stop all healing for the whole window.
start_guard() {
  # shellcheck disable=SC2016 # expanded by the guard
  setsid sh -c 'sleep "$1"; [ ! -x "$2" ] || exec "$2" apply' xennet-guard $(($1 + 1)) "$PROGRAM" \
    </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
  replace_file "$RUN/guard" "$!"
}

# The number may be another process's by now: only one that still is a guard is ended, its sleep with it. By KILL, as it inherits what this program ignores. Without `--`: busybox takes that for a number and complains.
stop_guard() {
  guard=$(first_word "$RUN/guard")
  rm -f "$RUN/guard"
  case $guard in '' | *[!0-9]*) return ;; esac
  if grep -q xennet-guard "/proc/$guard/cmdline" 2>/dev/null; then kill -KILL "-$guard"; fi
}
