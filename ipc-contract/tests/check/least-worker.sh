# Says hello over stdin and stdout, names no cookie, and reads until its input ends.
if [ "$MUTIRAO_CHANNEL" = fd3 ]; then
    echo "this worker speaks over stdio only" >&2
    exit 78
fi
echo "a line of the log" >&2
printf '\000\000\000\044\201\245hello\202\254protocol_min\001\254protocol_max\001'
cat >/dev/null
exit 1
