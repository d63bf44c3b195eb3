#!/bin/sh
# xennet program 3 format 1
#
# Makes this host match what is declared under /etc/xennet. Written for every dom0 since XenServer 5.6: POSIX sh, awk without extensions, iptables from 1.3.5 on.
# What is declared, and every command, is described in the provider's docs/host-program.md.
#
# How it works: `plan` (awk) compares the declared fragments with what `iptables-save` and `ip addr` show, and prints only what is to be done; `converge` (sh) does it and asks
# again until nothing is left to do. Text from fragments is data: patterns check it before use, and no shell ever evaluates it.

PATH=/usr/sbin:/sbin:/usr/bin:/bin:/opt/xensource/bin
LC_ALL=C
export PATH LC_ALL
umask 077
# A loop over files must see none when there are none, and words must not expand: fragments are passed by `set --` in one place only.
IFS=' 	
'

VERSION=3
FORMAT=1
PROGRAM=/usr/local/sbin/xennet
ETC=/etc/xennet
INVENTORY=/etc/xensource-inventory
SAVED_FIREWALL=/etc/sysconfig/iptables
if [ -d /run ]; then RUN=/run/xennet; else RUN=/var/run/xennet; fi
UNKNOWN_BRIDGES=''
LEFT=''
LOCK_WAIT=15
XE_LIMIT=5
