# Lines of ours in a saved firewall file, however they are written: what sed has to do to leave them out, with every byte of the others; nothing when there are none

# A file may be full of them, so sed is led through the lines one by one: an address for each would have it compare every line with all of them.
BEGIN {
  chains_begin(); names_begin(); found = 0
  # Of each long option the shortest form that can be no other one, and the whole.
  takes_chain = "a append c check delete delete delete- delete-chain fl flush g goto ins insert j jump ne new-chain po policy ren rename-chain rep replace z zero"
  takes_text = "co comment hex hex-string log-p log-prefix nflog-p nflog-prefix str string ulog-p ulog-prefix"
}
{
  ours = is_line_of_ours()
  if (ours && !found) { found = 1; if (NR > 1) print "1," NR - 1 "b" }
  if (found) print ours ? "$d\nN\ns/.*\\n//" : "$b\nn"
}
END { if (found) print ": rest\n$b\nn\nb rest" }
function names_begin(  k) { for (k = 1; k <= chain_count; k++) is_ours["XENNET-" base[k]] = 1 }
function is_line_of_ours(  n, first) {
  if (!index($0, "XENNET-")) return 0
  sub(/\r$/, "")
  n = words($0); first = 1
  if (!n) return 0
  if (word[1] ~ /^:/) return (word[1] != ":" ? substr(word[1], 2) : n > 1 ? word[2] : "") in is_ours
  if (word[1] ~ /^\[[0-9]+:[0-9]+\]$/) first = 2
  return first <= n && word[first] ~ /^-/ && names_ours(first, n)
}
# -A XENNET-FORWARD, -AXENNET-FORWARD, --append XENNET-FORWARD, --app=XENNET-FORWARD, and the like of -j
function names_ours(first, n,  i, option, name, at) {
  for (i = first; i <= n; i++) {
    option = word[i]; name = i < n ? word[i + 1] : ""; at = 0
    if (option ~ /^--./) {
      option = substr(option, 3); at = index(option, "=")
      if (at) { name = substr(option, at + 1); option = substr(option, 1, at - 1) }
      if (is_short_for(option, takes_text)) { if (!at) i++; continue }
      if (!is_short_for(option, takes_chain)) continue
    }
    else if (option ~ /^-[ACDEFILNPRSXZgj]/) { if (length(option) > 2) name = substr(option, 3) }
    else continue
    if (name in is_ours) return 1
  }
  return 0
}
function is_short_for(option, list,  part, count, i) {
  count = split(list, part, " ")
  for (i = 1; i < count; i += 2) if (index(option, part[i]) == 1 && index(part[i + 1], option) == 1) return 1
  return 0
}
# As iptables-restore reads a line: what stands in quotes is one word, or the end of one, and a backslash in them takes the next character as it is.
function words(line,  n, i, c, quoted, open) {
  split("", word); n = 0; open = 0; quoted = 0
  for (i = 1; i <= length(line); i++) {
    c = substr(line, i, 1)
    if (c == "\"" && quoted) { quoted = open = 0; continue }
    if ((c == " " || c == "\t") && !quoted) { open = 0; continue }
    if (!open) { word[++n] = ""; open = 1 }
    if (c == "\"") quoted = 1
    else { if (c == "\\" && quoted) c = substr(line, ++i, 1); word[n] = word[n] c }
  }
  return n
}
