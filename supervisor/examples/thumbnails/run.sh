#!/bin/sh
# A thumbnail of every picture in a folder. Usage: run.sh [FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
supervisor=${SUPERVISOR:-supervisor}
if ! command -v convert >/dev/null || ! command -v identify >/dev/null; then
    echo "this example needs ImageMagick; on Debian and Ubuntu: apt install imagemagick" >&2
    exit 1
fi
if [ $# -gt 0 ]; then
    work=$1
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work/pictures" "$work/thumbnails"
cp "$here/supervisor.toml" "$work"
cd "$work"

for colour in red orange gold green blue purple; do
    convert -size 800x600 "gradient:$colour-white" "pictures/$colour sky.png"
done

for picture in pictures/*.png; do
    # Under a name: run again in the same folder, this adds nothing.
    "$supervisor" enqueue thumbnail in="$picture" out="thumbnails/${picture#pictures/}" size=160x160 --name "$picture"
done

"$supervisor" run --until-empty 2>supervisor.log || { cat supervisor.log >&2; exit 1; }

count=0
for picture in pictures/*.png; do
    size=$(identify -format '%wx%h' "thumbnails/${picture#pictures/}")
    [ "$size" = 160x120 ] || { echo "the thumbnail of $picture is $size, not 160x120" >&2; exit 1; }
    count=$((count + 1))
done
echo "$count thumbnails of 160x120"
