# Settings: what each fragment needs, and the values before us

function needs_begin(  i, id, s, part, key) {
  for (i = 1; i <= fragments; i++) {
    id = order[i]
    if (state[id] != "active" && !stays_closed(id)) continue
    for (s = 1; s <= settings[id]; s++) {
      split(setting[id, s], part, " ")
      if (part[1] == "ipv6") {
        if (sysctl("/proc/sys/net/ipv6/conf/" bridge_of[id] "/disable_ipv6") != "") need(id, "ipv6", bridge_of[id], "-", "1")
        need_ipv6_default(id)
      }
      else if (part[1] == "rp-filter") need(id, "rp_filter", bridge_of[id], "-", part[2] == "on" ? "1" : "0")
      else if (state[id] != "active") continue
      else if (part[1] == "address") need_address(id, bridge_of[id], part[2])
      else if (part[1] == "forwarding") {
        need(id, "forwarding", bridge_of[id], "-", "1"); need(id, "forwarding", external_of[id], "-", "1")
        if (part[2] == "global") need_global(id)
      }
      else if (part[1] == "arp") need(id, "arp", bridge_of[id], "-", "on")
      else if (part[1] == "proxy-arp") need(id, "proxy_arp", bridge_of[id], "-", part[2] == "on" ? "1" : "0")
      else if (part[1] == "send-redirects" || part[1] == "arp-filter") {
        key = part[1]; sub(/-/, "_", key)
        need(id, key, bridge_of[id], "-", part[2] == "on" ? "1" : "0"); need(id, key, external_of[id], "-", part[2] == "on" ? "1" : "0")
      }
    }
  }
}
# An address is of no use on a link that is down, or without its route; the kernel makes that with the address, and takes it away with the link.
function need_address(id, name, cidr,  route, own) {
  need(id, "link", name, "-", "up")
  need(id, "address", name, cidr, "present")
  route = network_of(cidr)
  if (route !~ /\/32$/ && ((name, cidr) in has_address) && setting_now("link", name, "-") == "up") {
    own = cidr; sub(/\/.*/, "", own)
    need(id, "route", name, route "," own, "present")
  }
}
# Writing the value for all interfaces rewrites that of each: all are on record before, and are put back together.
function need_global(id,  i, part) {
  need(id, "forwarding", "all", "-", "1")
  if (!(("forwarding", "all", 0, "-") in has_former)) { record_forwarding = 1; return }
  for (i = 1; i <= formers; i++) { split(former[i], part, " "); if (part[1] == "forwarding") needed[part[1], part[2], part[3], part[4]] = 1 }
}
# Where two declarations want different values, the newer one has its way.
function need(id, kind, name, arg, value) {
  if (!(name in ifindex)) return
  if (((kind, name, ifindex[name], arg) in needed_value) && needed_value[kind, name, ifindex[name], arg] != value) return
  needed_value[kind, name, ifindex[name], arg] = value
  needs++
  need_id[needs] = id; need_kind[needs] = kind; need_if[needs] = name; need_arg[needs] = arg; need_value[needs] = value
  needed[kind, name, ifindex[name], arg] = 1
}
function setting_now(kind, name, arg) {
  if (kind == "address") return ((name, arg) in has_address) ? "present" : "absent"
  if (kind == "link") return flags[name] ~ /[<,]UP[,>]/ ? "up" : "down"
  if (kind == "route") return has_route(name, arg) ? "present" : "absent"
  if (kind == "arp") return flags[name] ~ /NOARP/ ? "off" : "on"
  if (kind != "ipv6") return sysctl("/proc/sys/net/ipv4/conf/" name "/" kind)
  return sysctl("/proc/sys/net/ipv6/conf/" name "/disable_ipv6")
}
