#!/usr/bin/perl
use v5.36; our ($cookie, $in, $out, $buf, $pos);     # A worker under test (SPEC 9). The } of a longer block ends its last line
sub quit($code, $why) { print STDERR "$0: ", ref $why ? $$why[0] : $why, "\n"; exit $code }
BEGIN {       # before any other code is loaded (1.2). What perl opens above descriptor 2, it marks close-on-exec
    $cookie = delete $ENV{MUTIRAO_COOKIE} // quit(64, 'a sample worker; a supervisor starts it, as the command of a pool');
    my %open = (stdio => ['&0', '&1'], fd3 => ['&=3', '&=4']);               # a duplicate, or the descriptor itself
    my ($r, $w) = @{ $open{ delete $ENV{MUTIRAO_CHANNEL} // 'stdio' } // quit(78, 'MUTIRAO_CHANNEL is a channel unknown here') };
    open $in, "<$r" and open $out, ">$w" or quit(78, "the channel is not open: $!");
    open STDIN, '<', '/dev/null' and open STDOUT, '>&', \*STDERR and $| = 1 or quit(78, "stdin and stdout: $!") }
use Time::HiRes 'time'; my %MOST = (u16 => 65535, u32 => 4294967295, u64 => ~0);
my ($state, $inbuf, $outbuf, $eof, $leaving, $run) = ('greeted', '', '', 0);         # $run is in flight: concurrency is 1
sub bad($error) { die [$error, text('never')] }      # a broken rule ends the worker, or in the args of a run that run for good
sub text($s) { pack 'C N/a*', 0xdb, $s }  sub uint($n) { pack 'C Q>', 0xcf, $n }  sub bin($s) { pack 'C N/a*', 0xc6, $s }
sub map_(@kv) { my $i; pack('C N', 0xdf, @kv / 2) . join '', map { $i++ % 2 ? $_ : text($_) } @kv }  # the longest forms will do
my @FORM = (('int') x 128, ('map') x 16, ('list') x 16, ('str') x 32, split(/,/, 'nil,,bool,bool,bin C,bin n,bin N,,,,f64 f>,' .
    'f64 d>,int C,int n,int N,int Q>,int c,int s>,int l>,int q>,,,,,,str C,str n,str N,list n,list N,map n,map N'), ('int') x 32);
sub take($n) { $pos + $n <= length $buf or bad('truncated'); $pos += $n; substr $buf, $pos - $n, $n }
sub is_utf8($s) { utf8::decode($s) && $s !~ /[^\0-\x{D7FF}\x{E000}-\x{10FFFF}]/ }
sub value($depth, $b = ord take(1)) {     # as "type:content", [items] or {keys and values}, where a key has "str:" before it
    my ($type, $form) = split ' ', $FORM[$b] or bad("malformed: byte $b");
    my $n = $form ? unpack $form, take(length pack $form, 0) : $b < 128 ? $b : $b > 223 ? $b - 256 : $b & ($b < 160 ? 15 : 31);
    $n = take($n) if $type =~ /str|bin/; bad('malformed: not UTF-8') if $type eq 'str' && !is_utf8($n);
    return "$type:$n" if $type !~ /map|list/; bad('too_deep') if $depth > 64;
    my @items; push @items, value($depth + 1) for 1 .. ($type eq 'map' ? 2 * $n : $n); return \@items if $type eq 'list';
    my %map = @items; $map{odd} = 1 if 2 * keys %map < @items || grep !/^str:/, keys %map; return \%map }
sub parse($bytes) { local ($buf, $pos) = ($bytes, 0); my $v = value(1); $pos == length $buf or bad('trailing'); $v }
sub get($map, $type, $name, @or) {        # a field: without a default it is needed; with the default undef it may be nil
    ref $map eq 'HASH' && !$$map{odd} or bad('body: no map, or a key is no text or stands twice');
    my $v = $$map{"str:$name"} // return @or ? $or[0] : bad("body: $name is missing");
    my ($is, $x) = ref $v ? (ref $v, $v) : $v =~ /^(\w+):(.*)/s; return undef if $is eq 'nil' && @or && !defined $or[0];
    return ($MOST{$type} ? $is eq 'int' && $x >= 0 && $x <= $MOST{$type} : $is eq $type) ? $x : bad("body: $name is no $type") }
sub pump($seconds = undef) {              # takes one message, or waits, for reading and writing alike (1.3)
    my $n = length $inbuf > 3 ? unpack 'N', $inbuf : 1; quit(1, $n ? 'too_long' : 'empty') if $n < 1 || $n > 1 << 24;
    if (length $inbuf >= 4 + $n) { return eval { receive(parse(substr substr($inbuf, 0, 4 + $n, ''), 4)); 1 } || quit(1, $@) }
    quit(1, $inbuf ne '' ? 'truncated' : 'the supervisor is gone') if $eof && ($inbuf ne '' || $state !~ /draining|closed/);
    vec(my $r = '', fileno $in, 1) = !$eof; vec(my $w = '', fileno $out, 1) = $outbuf ne '';
    select($r, $w, undef, $seconds) >= 0 or return;                          # a signal
    substr $outbuf, 0, syswrite($out, $outbuf, 4096) // quit(1, "write: $!"), '' if vec $w, fileno $out, 1;
    $eof = !(sysread($in, $inbuf, 65536, length $inbuf) // quit(1, "read: $!")) if vec $r, fileno $in, 1 }
sub put($name, @body) { $outbuf .= pack 'N/a*', map_($name => map_(@body)); pump() while $outbuf ne '' }
sub ids() { map { ($_ => uint($$run{$_})) } 'task', 'epoch' }       sub arg(@field) { get($$run{map}, @field) }
sub nap($obeys, $ms = arg(u64 => 'ms'), $until = time + $ms / 1000) {
    while ((my $s = $until - time) > 0) { defined $$run{stop} && $obeys ? die "stopped: $$run{stop}\n" : pump($s) } uint($ms) }
my %KIND = (echo => sub { $$run{args} }, noop => sub { '' }, retire => sub { $leaving = 1; '' },    # '' is nothing
    sleep => sub { nap(1) }, stubborn => sub { nap(0) }, raise => sub { die arg(str => 'error', '') },
    fail => sub { die [arg(str => 'error', ''), (map { ref ? map_(after_ms => uint(get($_, u64 => 'after_ms')))
        : /^str:(default|never)\z/ ? text($1) : bad('retry') } $$run{map}{'str:retry'} // 'str:default'), arg(str => 'scope', 'task')] },
    print => sub { my ($text, $lines, $to) = (arg(str => 'text', 'hello'), arg(u32 => 'lines', 1), arg(str => 'to', 'both'));
        my $child = arg(str => 'from', 'handler') eq 'child' ? fork // die "fork: $!\n" : undef;
        for ($child ? () : 1 .. $lines) { print "$text\n" if $to ne 'stderr'; print STDERR "$text\n" if $to ne 'stdout' }
        $child ? waitpid $child, 0 : defined $child && exit; uint($to eq 'both' ? 2 * $lines : $lines) },
    crash => sub { my $end = arg(int => 'exit', undef); exit $end if defined $end; kill arg(u32 => 'signal', undef) // 11, $$ },
    context => sub { map_(ids(), attempt => uint($$run{attempt}), (map { ($_ => text($$run{$_})) } 'kind', 'effect_key'),
        time_left_ms => defined $$run{time_left_ms} ? uint($$run{time_left_ms}) : "\xc0") },
    blob => sub { my $n = arg(u64 => 'bytes'); die "over the limit\n" if $n > 1 << 20; text('x' x $n) },
    log => sub { my $level = arg(str => 'level', 'info'); $level =~ /^(debug|info|warn|error)\z/ or bad('level');
        put(log => run => map_(ids()), level => text($level), message => text(arg(str => 'message'))); '' });
my %ON = (reject => [qr/greeted/, sub($m) { quit(78, get($m, str => 'reason')) }],      # the states it is legal in, what to do
    welcome => [qr/greeted/, sub($m) { get($m, u16 => 'protocol') == 1 or bad('protocol'); $state = 'welcomed';
        get($m, u64 => $_, 0) for 'worker', 'beat_ms'; /^str:/ or bad('body') for @{ get($m, ARRAY => 'features', []) } }],
    ack => [qr/./, sub($m) { get($m, u64 => $_) for qw(task epoch seq); bad('violation: an ack of nothing') }],
    run => [qr/ready/, sub($m) { bad('violation: no credit') if $run; my $save = get($m, bin => 'checkpoint', undef) // '';
        $save ne '' || %{ get($m, HASH => $_, {}) } and bad("violation: no feature save or park") for 'steps', 'facts';
        $run = { map { ($$_[1] => scalar get($m, @$_)) } [u64 => 'task'], [u64 => 'epoch'], [str => 'kind'],
            [bin => 'args', undef], [u32 => 'attempt', 1], [str => 'effect_key', ''], [u64 => 'time_left_ms', undef] };
        my $result = eval { $$run{map} = parse(($$run{args} //= '') =~ /^\xc0?\z/ ? "\x80" : $$run{args});   # nothing: a map
            my $r = ($KIND{$$run{kind}} // bad("no kind $$run{kind}"))->(); length $r <= 1 << 20 or die "over the limit\n"; $r };
        my ($error, $retry, $scope) = ref $@ ? @{$@} : ($@, text('default')); my @ids = ids(); $run = undef;    # the next may come
        put(defined $result ? (done => @ids, result => bin($result)) : (fail => @ids, error => text($error), retry => $retry,
            scope => text($scope // 'task'))) }],
    stop => [qr/welcomed|ready|draining/, sub($m) { my $of = get($m, HASH => 'run', undef); get($m, u64 => 'grace_ms');
        my ($reason, @id) = (get($m, str => 'reason'), map { get($of, u64 => $_) } $of ? ('task', 'epoch') : ());
        if (!$of) { ($state, $leaving, $SIG{TERM}) = ('draining', 1, sub { $$run{stop} = $reason if $run }) }
        elsif ($run && "@id" eq "$$run{task} $$run{epoch}" && $reason ne 'recall') { $$run{stop} = $reason } }]);
sub receive($map) {
    ref $map eq 'HASH' && keys %$map == 1 && (%$map)[0] =~ /^str:(.*)/s or bad('not_a_message'); return if $state eq 'closed';
    my ($name, $body, $on) = ($1, values %$map, $ON{$1} // bad("unknown_message or wrong_direction: $1"));
    $state =~ $$on[0] ? $$on[1]->($body) : bad("violation: $name while $state") }
put(hello => protocol_min => uint(1), protocol_max => uint(1), cookie => text($cookie), sdk => text('perl/0.1.0'),
    kinds => pack('C N', 0xdd, scalar keys %KIND) . join '', map { text($_) } sort keys %KIND); pump() while $state eq 'greeted';
if ($state eq 'welcomed') { $state = 'ready'; put('ready') } pump() until $leaving; $state = 'closed'; put('bye');
