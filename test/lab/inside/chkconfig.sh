#!/bin/sh
# Stand-in for Red Hat's chkconfig, as far as it is asked: levels and numbers are those of a script's own line
# "# chkconfig:"; --add leaves a level alone that has a link, whatever its kind; on and off are about levels 2 to 5.
case $#:$1 in
  2:--add | 2:--del) what=$1 name=$2 ;;
  2:*) what=$2 name=$1 ;;
  *) echo "chkconfig (lab): '$*' is not supported by this stand-in" >&2; exit 2 ;;
esac
header=$(sed -n 's/^# chkconfig: *//p' "/etc/init.d/$name")
[ -n "$header" ] || { echo "error reading information on service $name" >&2; exit 1; }
read -r levels start stop <<END
$header
END
for level in 0 1 2 3 4 5 6; do
  cd "/etc/rc.d/rc$level.d" 2>/dev/null || continue
  case $levels in *$level*) link=S$start$name ;; *) link=K$stop$name ;; esac
  case $what$level in
    --add*)
      for old in [SK][0-9][0-9]"$name"; do [ -L "$old" ] && continue 2; done ;;
    --del*) link='' ;;
    on[2-5]) link=S$start$name ;;
    off[2-5]) link=K$stop$name ;;
    on? | off?) continue ;;
    *) echo "chkconfig (lab): '$*' is not supported by this stand-in" >&2; exit 2 ;;
  esac
  rm -f [SK][0-9][0-9]"$name"
  [ -z "$link" ] || ln -s "../init.d/$name" "$link"
done
