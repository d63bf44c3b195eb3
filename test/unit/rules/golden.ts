/** What `iptables-save` prints for every kind of rule of ours: recorded from 1.8.9, legacy and nft; 1.4.21 spells the same. */
export const golden = `*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:XENNET-FORWARD - [0:0]
-A FORWARD -j XENNET-FORWARD
-A XENNET-FORWARD -s 192.168.100.0/24 -i xapi1 -o xenbr0 -p tcp -m tcp --tcp-flags SYN,RST SYN -m comment --comment xennet-0123456789ab -j TCPMSS --clamp-mss-to-pmtu
-A XENNET-FORWARD -d 192.168.100.0/24 -i xenbr0 -o xapi1 -p tcp -m tcp --tcp-flags SYN,RST SYN -m comment --comment xennet-0123456789ab -j TCPMSS --clamp-mss-to-pmtu
-A XENNET-FORWARD -s 192.168.100.0/24 -i xapi1 -o xenbr0 -p tcp -m tcp --tcp-flags SYN,RST SYN -m comment --comment xennet-0123456789ab -j TCPMSS --set-mss 1360
-A XENNET-FORWARD -d 192.168.100.0/24 -i xenbr0 -o xapi1 -p tcp -m tcp --tcp-flags SYN,RST SYN -m comment --comment xennet-0123456789ab -j TCPMSS --set-mss 1360
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:XENNET-OUTPUT - [0:0]
:XENNET-POSTROUTING - [0:0]
:XENNET-PREROUTING - [0:0]
-A PREROUTING -j XENNET-PREROUTING
-A OUTPUT -j XENNET-OUTPUT
-A POSTROUTING -j XENNET-POSTROUTING
-A XENNET-OUTPUT -d 192.168.1.10/32 -p tcp -m tcp --dport 8080 -m comment --comment xennet-0123456789ab -j DNAT --to-destination 192.168.100.12:80
-A XENNET-POSTROUTING -s 192.168.100.0/24 -d 192.168.100.12/32 -o xapi1 -p tcp -m tcp --dport 80 -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j SNAT --to-source 192.168.100.1
-A XENNET-POSTROUTING -s 192.168.100.0/24 -o xenbr0 -m comment --comment xennet-0123456789ab -j SNAT --to-source 192.168.1.10
-A XENNET-POSTROUTING -s 192.168.100.0/24 -o xenbr0 -m comment --comment xennet-0123456789ab -j MASQUERADE
-A XENNET-PREROUTING -s 192.168.1.0/24 -d 192.168.1.10/32 -i xenbr0 -p tcp -m tcp --dport 22 -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-PREROUTING -d 192.168.1.10/32 -i xenbr0 -p tcp -m tcp --dport 8080 -m comment --comment xennet-0123456789ab -j DNAT --to-destination 192.168.100.12:80
-A XENNET-PREROUTING -d 192.168.1.10/32 -i xapi1 -p tcp -m tcp --dport 8080 -m comment --comment xennet-0123456789ab -j DNAT --to-destination 192.168.100.12:80
-A XENNET-PREROUTING -d 192.168.1.10/32 -i xenbr0 -p tcp -m tcp --dport 9000:9002 -m comment --comment xennet-0123456789ab -j DNAT --to-destination 192.168.100.12
-A XENNET-PREROUTING -d 192.168.1.10/32 -i xenbr0 -p udp -m udp --dport 9000:9002 -m comment --comment xennet-0123456789ab -j DNAT --to-destination 192.168.100.12
-A XENNET-PREROUTING -s 203.0.113.9/32 -i xenbr0 -p tcp -m tcp --dport 8080 -m addrtype --dst-type LOCAL -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-PREROUTING -s 203.0.113.0/24 -i xenbr0 -p tcp -m tcp --dport 8080 -m addrtype --dst-type LOCAL -m comment --comment xennet-0123456789ab -j DNAT --to-destination 192.168.100.12:80
-A XENNET-PREROUTING -d 192.168.1.10/32 -i xenbr0 -p tcp -m tcp --dport 22 -m comment --comment xennet-0123456789ab -j DNAT --to-destination 192.168.100.12:122
-A XENNET-PREROUTING -d 192.168.1.10/32 -i xenbr0 -p tcp -m tcp --dport 23 -m comment --comment xennet-0123456789ab -j DNAT --to-destination 192.168.100.12:123
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:XENNET-FORWARD - [0:0]
:XENNET-INPUT - [0:0]
-A INPUT -j XENNET-INPUT
-A FORWARD -j XENNET-FORWARD
-A XENNET-FORWARD -i xapi1 -o xenbr0 -m state --state INVALID -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -i xenbr0 -o xapi1 -m state --state INVALID -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -i xapi1 -o xenbr0 -m state --state INVALID -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -i xenbr0 -o xapi1 -m state --state INVALID -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -i xapi1 -o xenbr0 -m state --state INVALID -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -i xenbr0 -o xapi1 -m state --state INVALID -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -d 192.168.100.0/24 -i xenbr0 -o xapi1 -m conntrack --ctstate RELATED,ESTABLISHED --ctorigsrc 192.168.100.0/24 -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -d 192.168.100.0/24 -i xenbr0 -o xapi1 -m state --state RELATED,ESTABLISHED -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -s 192.168.100.0/24 -i xapi1 -o xenbr0 -m state --state RELATED,ESTABLISHED -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -s 192.168.100.0/24 -i xapi1 -o xenbr0 -m conntrack --ctstate RELATED,ESTABLISHED --ctorigdst 192.168.100.0/24 -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -d 192.168.100.0/24 -i xenbr0 -o xapi1 -m conntrack --ctstate RELATED,ESTABLISHED --ctorigsrc 192.168.100.0/24 -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -d 192.168.100.0/24 -i xenbr0 -o xapi1 -m state --state RELATED,ESTABLISHED -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -d 192.168.100.0/24 -i xenbr0 -o xapi1 -m conntrack --ctstate RELATED,ESTABLISHED --ctorigsrc 192.168.100.0/24 -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -d 192.168.100.0/24 -i xenbr0 -o xapi1 -m state --state RELATED,ESTABLISHED -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -d 192.168.100.12/32 -i xenbr0 -o xapi1 -p tcp -m tcp --dport 80 -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -d 192.168.100.12/32 -i xapi1 -o xapi1 -p tcp -m tcp --dport 80 -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -s 192.168.100.12/32 -i xapi1 -o xapi1 -p tcp -m tcp --sport 80 -m state --state ESTABLISHED -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -d 192.168.100.12/32 -i xenbr0 -o xapi1 -p tcp -m tcp --dport 9000:9002 -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -d 192.168.100.12/32 -i xenbr0 -o xapi1 -p udp -m udp --dport 9000:9002 -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -d 192.168.100.12/32 -i xenbr0 -o xapi1 -p tcp -m tcp --dport 80 -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -d 192.168.100.12/32 -i xenbr0 -o xapi1 -p tcp -m tcp --dport 122:123 -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -s 192.168.100.0/24 -d 192.168.1.11/32 -i xapi1 -o xenbr0 -m comment --comment xennet-0123456789ab -j REJECT --reject-with icmp-host-prohibited
-A XENNET-FORWARD -s 192.168.100.0/24 -d 192.0.2.0/24 -i xapi1 -o xenbr0 -m conntrack --ctstate NEW,RELATED,SNAT,DNAT -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -d 192.168.100.0/24 -i xenbr0 -o xapi1 -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -s 192.168.100.0/24 -i xapi1 -o xenbr0 -m conntrack --ctstate NEW,RELATED,SNAT,DNAT -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -s 192.168.100.0/24 -i xapi1 -o xenbr0 -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-FORWARD -i xapi1 -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -o xapi1 -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -i xapi1 -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -o xapi1 -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -i xenbr0 -o xenbr0 -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-FORWARD -i xenbr0 -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-FORWARD -i xenbr0 -m state --state INVALID,NEW -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -i xenbr0 -o xenbr0 -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-FORWARD -i xenbr0 -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-FORWARD -i xenbr0 -m state --state INVALID,NEW -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -i xenbr0 -o xenbr0 -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-FORWARD -i xenbr0 -m conntrack --ctstate DNAT -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-FORWARD -i xenbr0 -m state --state INVALID,NEW -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -i xapi0 -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-FORWARD -i xapi1 -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-FORWARD -i xapi0 -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-FORWARD -i xapi+ -m state --state INVALID,NEW,RELATED -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -i xapi+ -m state --state INVALID,NEW,RELATED -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -o xapi0 -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-FORWARD -o xapi1 -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-FORWARD -o xapi0 -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-FORWARD -o xapi+ -m state --state INVALID,NEW,RELATED -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-FORWARD -o xapi+ -m state --state INVALID,NEW,RELATED -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-INPUT -i xapi1 -m conntrack --ctstate RELATED,ESTABLISHED --ctorigsrc 192.168.100.1 -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-INPUT -i xapi1 -m conntrack --ctstate RELATED,ESTABLISHED --ctorigsrc 192.168.100.1 -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-INPUT -i xapi1 -m conntrack --ctstate RELATED,ESTABLISHED --ctorigsrc 192.168.100.1 -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-INPUT -s 192.168.100.12/32 -i xapi1 -p tcp -m conntrack --ctstate ESTABLISHED --ctorigsrc 192.168.1.10 -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-INPUT -s 192.168.100.0/24 -i xapi1 -p icmp -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-INPUT -s 192.168.100.0/24 -i xapi1 -p udp -m udp --dport 123 -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-INPUT -s 192.168.100.7/32 -i xapi1 -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-INPUT -s 192.168.100.0/24 -i xapi1 -p icmp -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-INPUT -s 192.168.100.0/24 -i xapi1 -p icmp -m comment --comment xennet-0123456789ab -j ACCEPT
-A XENNET-INPUT -i xapi1 -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-INPUT -i xapi1 -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-INPUT -i xapi1 -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-INPUT -i xapi0 -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-INPUT -i xapi0 -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-INPUT -i xapi0 -m comment --comment xennet-0123456789ab -j RETURN
-A XENNET-INPUT -i xapi+ -m state --state INVALID,NEW,RELATED -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-INPUT -i xapi+ -m state --state INVALID,NEW,RELATED -m comment --comment xennet-0123456789ab -j DROP
-A XENNET-INPUT -i xapi+ -m state --state INVALID,NEW,RELATED -m comment --comment xennet-0123456789ab -j DROP
COMMIT
`;
