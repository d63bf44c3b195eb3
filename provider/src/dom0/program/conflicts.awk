# What two stacks must not both have: a port of an address, a network, its addresses. Declarations of the same stack never meet here: deletes come last, so renames and swaps must pass.

# Why a put cannot be, `<code> <text>`, or nothing. What its own stored form has in common with another one already is left alone.
function taken_by_others(id,  other, why) {
  for (other in holder) {
    if (op_token[id] == other || is_of_stack(id, holder[other])) continue
    why = in_common(id, holder[other])
    if (why == "") continue
    if ((op_token[id] in stored) && in_common(stored[op_token[id]], holder[other]) != "") continue
    return why " is held by " describe_owner(value_of(holder[other], "owner")) " on this host"
  }
  return ""
}
# A renamed stack has its declarations under the former name until it has written them anew.
function is_of_stack(id, other) {
  if (same_stack(value_of(id, "owner"), value_of(other, "owner"))) return 1
  return (op_token[id] in stored) && same_stack(value_of(stored[op_token[id]], "owner"), value_of(other, "owner"))
}
# `<prefix>urn:pulumi:<stack>::<project>::<types>::<name>`
function stack_of(owner,  at, part, n) {
  at = index(owner, "urn:pulumi:")
  if (!at) return ""
  n = split(substr(owner, at + 11), part, "::")
  return n < 4 ? "" : (at > 1 ? substr(owner, 1, at - 1) : "") "::" part[1] "::" part[2]
}
function same_stack(a, b) { return a == b || stack_of(a) != "" && stack_of(a) == stack_of(b) }
function describe_owner(owner,  at, part, n) {
  at = index(owner, "urn:pulumi:")
  n = at ? split(substr(owner, at + 11), part, "::") : 0
  return n < 4 ? printable(owner) : "\"" printable(part[n]) "\" of stack " printable(part[2] "/" part[1])
}
function in_common(a, b,  i, j, held) {
  if (value_of(a, "kind") == "host-forwarding") {
    if (value_of(b, "kind") != "host-forwarding") return ""
    if (value_of(a, "network") == value_of(b, "network")) return "NETWORK_TAKEN the network " value_of(a, "network")
    return subnets_meet(subnet_of(a), subnet_of(b)) ? "SUBNET_TAKEN the subnet " subnet_of(b) : ""
  }
  if (value_of(b, "kind") != "port-forward" || ((a, "enabled") in field) || ((b, "enabled") in field)) return ""
  for (i = 1; i <= claims[a]; i++)
    for (j = 1; j <= claims[b]; j++)
      if (ports_meet(claim[a, i], claim[b, j]) && addresses_meet(a, b)) { split(claim[b, j], held, " "); return "CLAIM_TAKEN " held[1] " port " held[2] }
  return ""
}
function subnet_of(id,  s, part) {
  for (s = 1; s <= settings[id]; s++) { split(setting[id, s], part, " "); if (part[1] == "address") return part[2] }
  return ""
}
function subnets_meet(a, b,  left, right, size, bits) {
  if (a == "" || b == "") return 0
  split(a, left, "/"); split(b, right, "/")
  # Not by `^`: some awks cannot raise to a power.
  size = 1
  for (bits = left[2] + 0 < right[2] + 0 ? left[2] + 0 : right[2] + 0; bits < 32; bits++) size *= 2
  return int(number_of(left[1]) / size) == int(number_of(right[1]) / size)
}
function number_of(ip,  part) { split(ip, part, "."); return ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4] }
function ports_meet(a, b,  one, other, from, to, start, stop) {
  split(a, one, " "); split(b, other, " ")
  if (one[1] != other[1]) return 0
  from = to = one[2]; sub(/-.*/, "", from); sub(/.*-/, "", to)
  start = stop = other[2]; sub(/-.*/, "", start); sub(/.*-/, "", stop)
  return from + 0 <= stop + 0 && start + 0 <= to + 0
}
# An address that DHCP assigned is whichever the host will have.
function addresses_meet(a, b,  left, right) {
  left = claimed_address(a); right = claimed_address(b)
  return left == "" || right == "" || left == right
}
function claimed_address(id,  name, ip) {
  name = value_of(id, "external-interface"); ip = value_of(id, "external-address")
  if (ip != "" && ip != "auto") return ip
  look_at_interfaces()
  if (name == "" || name == "auto") { if (external_mode() == "dhcp") return ""; name = external }
  ip = address_of(name)
  return ip == "" ? "auto" : ip
}
# Only where it matters, which is seldom.
function look_at_interfaces() {
  if (looked) return
  looked = 1
  while (("ip addr" | getline) > 0) ip_line()
  close("ip addr")
  resolve_external()
}
