#!/usr/bin/perl
# Stand-in for udevd: takes the kernel's own uevents of this network namespace and runs RUN+= of the matching "net"
# rules in /etc/udev/rules.d. systemd-udevd 252 itself was tried and works here, rootless too; but it comes with the
# package udev, which containers lack and whose installation starts a daemon on the workstation that may rename its
# interfaces. Like udevd it runs programs without a shell and without PATH, and each event in a process of its own.
use strict;
use warnings;
use Socket;

use constant { AF_NETLINK => 16, NETLINK_KOBJECT_UEVENT => 15, EVENT_TIMEOUT => 180 };

$SIG{CHLD} = 'IGNORE';
$| = 1;

socket(my $uevents, AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT) or die "netlink: $!\n";
setsockopt($uevents, SOL_SOCKET, SO_RCVBUF, 1 << 20) or die "receive buffer: $!\n";
bind($uevents, pack('SSLL', AF_NETLINK, 0, 0, 1)) or die "bind: $!\n";
print "listening\n";
# The boot waits for it: an interface that appeared before would go unnoticed.
open my $up, '>', '/run/udevd.listening' or die "/run/udevd.listening: $!\n";
close $up;
while (1) {
    defined recv($uevents, my $message, 65536, 0) or do { print "recv: $!\n"; next };
    my %event = map { /^([A-Z_]+)=(.*)$/s ? ($1, $2) : () } split /\0/, $message;
    next unless ($event{SUBSYSTEM} // '') eq 'net' && defined $event{INTERFACE};
    defined(my $pid = fork) or do { print "fork: $!\n"; next };
    next if $pid;
    close $uevents;
    handle(%event);
    exit 0;
}

sub handle {
    my %event = @_;
    $SIG{CHLD} = 'DEFAULT';
    for my $file (sort glob '/etc/udev/rules.d/*.rules') {
        open my $rules, '<', $file or do { print "$file: $!\n"; next };
        my $text = do { local $/; <$rules> };
        $text =~ s/\\\n//g;
        for my $line (split /\n/, $text) {
            next if $line =~ /^\s*(#|$)/;
            run($_, %event) for commands($file, $line, %event);
        }
    }
}

# The programs a rule line wants run for this event; none when a match fails.
sub commands {
    my ($file, $line, %event) = @_;
    my %matches = (KERNEL => $event{INTERFACE}, ACTION => $event{ACTION}, SUBSYSTEM => $event{SUBSYSTEM});
    my @commands;
    while ($line =~ /\G\s*([A-Z]+)(\{[^}]*\})?\s*(==|!=|\+=|=)\s*"((?:[^"\\]|\\.)*)"\s*,?\s*/gc) {
        my ($key, $attribute, $operator, $value) = ($1, $2 // '', $3, $4);
        $value =~ s/\\"/"/g;
        if ($key eq 'RUN' && $attribute =~ /^(\{program\})?$/ && $operator =~ /^\+?=$/) {
            push @commands, $value;
        } elsif (exists $matches{$key} && $attribute eq '' && $operator =~ /^[=!]=$/) {
            return if ($operator eq '==') != (matches($matches{$key}, $value) ? 1 : '');
        } else {
            print "$file: $key$attribute$operator is not supported by this stand-in, rule left out\n";
            return;
        }
    }
    if ((pos($line) // 0) < length $line) {
        print "$file: cannot read this rule: $line\n";
        return;
    }
    return map { expand($_, %event) } @commands;
}

# udev's patterns: * ? [a-z] and alternatives separated by |.
sub matches {
    my ($text, $pattern) = @_;
    for my $glob (split /\|/, $pattern) {
        my $expression = join '', map {
            $_ eq '*' ? '.*' : $_ eq '?' ? '.' : /^\[!?(.*)\]$/ ? ($_ =~ s/^\[!/[^/r) : quotemeta
        } $glob =~ /(\[[^\]]*\]|.)/g;
        return 1 if $text =~ /^$expression$/;
    }
    return 0;
}

sub expand {
    my ($command, %event) = @_;
    my %short = (k => $event{INTERFACE}, p => $event{DEVPATH}, '%' => '%');
    my %long  = (kernel => $event{INTERFACE}, name => $event{INTERFACE}, devpath => $event{DEVPATH});
    $command =~ s/%E\{(\w+)\}|\$env\{(\w+)\}/$event{$1 \/\/ $2} \/\/ ''/ge;
    $command =~ s/%([kp%])/$short{$1}/g;
    $command =~ s/\$(kernel|name|devpath)\b/$long{$1}/g;
    return $command;
}

sub run {
    my ($command, %event) = @_;
    my @words = map { s/^'(.*)'$/$1/sr } $command =~ /('[^']*'|[^\s']+)/g;
    $words[0] = "/usr/lib/udev/$words[0]" unless $words[0] =~ m{^/};
    %ENV = %event;
    my $pid = fork // do { print "fork: $!\n"; return };
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        exec { $words[0] } @words or do { print "$words[0]: $!\n"; exit 127 };
    }
    local $SIG{ALRM} = sub { print "$command: killed after ${\EVENT_TIMEOUT} s\n"; kill 'KILL', $pid };
    alarm EVENT_TIMEOUT;
    waitpid $pid, 0;
    alarm 0;
    print "$event{ACTION} $event{INTERFACE}: $command: status ", $? >> 8, "\n";
}
