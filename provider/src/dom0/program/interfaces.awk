# Interfaces and their addresses; the one to the outside

function interfaces_begin() {
  current = ""; highest = address_count = ipv6_declared = 0
  # What the kernel keeps beside the interfaces: the value for all of them, and the one that new ones start with.
  ifindex["all"] = 0; ifindex["default"] = 0
}
function ip_line(  name, i, scope) {
  if ($1 ~ /^[0-9]+:$/) {
    name = $2; sub(/:$/, "", name); sub(/@.*/, "", name)
    current = name; ifindex[name] = $1 + 0; flags[name] = $3
    if (name !~ /^(vif|tap)/ && $1 + 0 > highest) highest = $1 + 0
  } else if ($1 == "inet") {
    address_count++
    address_if[address_count] = current
    address[address_count] = ($2 ~ /\//) ? $2 : $2 "/32"
    has_address[current, address[address_count]] = 1
    scope = ""
    for (i = 3; i <= NF; i++) { if ($i == "scope") scope = $(i + 1); if ($i == "dynamic") leased[address_count] = 1 }
    if (scope == "global" && !(current in first_address)) first_address[current] = address_count
  } else if ($1 == "inet6") ipv6_line()
}
# An address that somebody gave; one that a router on the LAN announced says nothing.
function ipv6_line() { if ($0 ~ / scope global/ && $0 !~ / dynamic/) ipv6_declared = 1 }
# 0: no such interface now.
function index_of(name) { return (name in ifindex) ? ifindex[name] : 0 }
function resolve_external(  name) {
  name = inventory("MANAGEMENT_INTERFACE")
  external = is_interface(name) ? name : ""
  external_address = (external in first_address) ? address[first_address[external]] : ""
}
# The first address of an interface, without prefix length, or nothing.
function address_of(name,  first) {
  if (!(name in first_address)) return ""
  first = address[first_address[name]]; sub(/\/.*/, "", first)
  return first
}
function external_mode(  path, db, at) {
  if (external == "") return "static"
  if ((external in first_address) && (first_address[external] in leased)) return "dhcp"
  path = "/etc/sysconfig/network-scripts/ifcfg-" external
  if (whole_file(path) ~ /BOOTPROTO=["\047]?dhcp/) return "dhcp"
  # xcp-networkd: {"interface_config":{"xenbr0":{…"ipv4_conf":["DHCP4"]…
  db = whole_file("/var/lib/xcp/networkd.db"); gsub(/[ \n\t]/, "", db)
  at = index(db, "\"interface_config\""); if (!at) return "static"
  db = substr(db, at); at = index(db, "\"" external "\":{"); if (!at) return "static"
  db = substr(db, at); at = index(db, "\"ipv4_conf\":"); if (!at) return "static"
  return substr(db, at + 12) ~ /^\[?"DHCP4"/ ? "dhcp" : "static"
}
function whole_file(path,  line, content, got) {
  content = ""
  while ((got = (getline line < path)) > 0) content = content line "\n"
  if (got >= 0) close(path)
  return content
}
# The network of an address with prefix length.
function network_of(cidr,  part, byte, bits, i, size, network) {
  split(cidr, part, "/"); split(part[1], byte, ".")
  bits = part[2] + 0; network = ""
  for (i = 1; i <= 4; i++) {
    size = 256; for (; bits > 0 && size > 1; bits--) size /= 2
    network = network (i > 1 ? "." : "") int(byte[i] / size) * size
  }
  return network "/" part[2]
}
# From the table of the kernel: another process would cost more than all of it. Numbers there are hexadecimal, the last byte first.
function has_route(name, arg,  path, got, line, part, want, net, byte, i, bits, size, mask) {
  sub(/,.*/, "", arg); split(arg, net, "/"); split(net[1], byte, ".")
  bits = net[2] + 0; want = mask = ""
  for (i = 1; i <= 4; i++) {
    size = 256; for (; bits > 0 && size > 1; bits--) size /= 2
    want = sprintf("%02X", byte[i]) want; mask = sprintf("%02X", 256 - size) mask
  }
  path = "/proc/net/route"; found_route = 0
  while ((got = (getline line < path)) > 0)
    if (split(line, part, "\t") >= 8 && part[1] == name && part[2] == want && part[8] == mask) found_route = 1
  if (got >= 0) close(path)
  return found_route
}
