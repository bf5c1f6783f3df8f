#!/usr/bin/env bash
# The wheel where nothing of a build machine is: a root made with debootstrap that holds Python and, linked into a virtual
# environment, torch 2.11. Installs, trains, evaluates, predicts, runs two ranks under torchrun, runs beside a LibTorch
# without CUDA, uninstalls.
#
# usage: wheel_in_empty_root.sh TORCHRUN      status 77: skipped; needs root, debootstrap, network or its cache, and the
#        torchrun of an environment with the Python of Debian 12
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

skip() { echo "skipped: $*"; exit 77; }
[[ $EUID == 0 ]] || skip "needs root for chroot"
command -v debootstrap >/dev/null || skip "no debootstrap here"
torch_site=$(dirname "${1:-/none}")/../lib/python3.11/site-packages
[[ -e $torch_site/torch/lib/libtorch_cuda.so ]] || skip "no environment with Python 3.11 and torch beside '${1:-}'"

scripts/wheel
wheel=$(ls dist/dis_toolkit-*.whl)
scripts/kaggle_check --python "$(dirname "$1")/python3" --wheel "$wheel" --scratch 64 --time-limit 20s \
  -- --chunks 2 >/tmp/kaggle_check.$$ 2>&1 || { status=$?; cat /tmp/kaggle_check.$$; [[ $status == 77 ]]; }
tail -n 2 /tmp/kaggle_check.$$
rm /tmp/kaggle_check.$$
# Beside the environment: hard links do not cross file systems.
work=$(mktemp -d "$(dirname "$(realpath "$torch_site")")/.wheel_root.XXXXXX")
root=$work/root
finish() {
  for place in proc dev/shm dev; do umount "$root/$place" 2>/dev/null || true; done
  rm -rf --one-file-system "$work"
}
trap finish EXIT
debootstrap --variant=minbase --include=python3,python3-venv bookworm "$root" >"$work/log" 2>&1 ||
  { tail -n 3 "$work/log"; skip "debootstrap failed"; }
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"
[[ ! -e $root/usr/include/png.h && ! -e $root/usr/lib/x86_64-linux-gnu/libpng16.so.16 ]]

inside() { chroot "$root" /usr/bin/env -i PATH=/env/bin:/usr/bin:/bin HOME=/root OMP_NUM_THREADS=1 "$@"; }
say() { printf '%-28s %s\n' "$1" "$2"; }
inside python3 -m venv /env
cp -al --remove-destination "$torch_site/." "$root/env/lib/python3.11/site-packages/"
cp /etc/hosts "$root/etc/hosts"  # torchrun looks up the name of its host
cp "$wheel" "$root/root/"
cp -r tests/data/arc "$root/root/arc"

start=$EPOCHREALTIME
inside pip install --quiet --no-index --no-deps "/root/$(basename "$wheel")"
say "pip install" "$(awk "BEGIN {printf \"%.1f s\", $EPOCHREALTIME - $start}")"
[[ $(inside which dis) == /env/bin/dis ]]
start=$EPOCHREALTIME
inside dis --version >/dev/null
say "dis --version" "$(awk "BEGIN {printf \"%.2f s\", $EPOCHREALTIME - $start}")"
inside dis info | tee "$work/info"
grep -q 'program .*/dis_toolkit/bin/dis' "$work/info"
grep -q 'CUDA .*built for' "$work/info"  # loads without a driver

inside dis train --config nqueens/quickstart.json --run-dir /root/q --set train.steps=200 2>&1 | tail -n 1
inside dis eval --run /root/q --set eval.decoder=argmax >"$work/eval"
say "dis eval" "$(head -n 1 "$work/eval")"
arc=(--set data.kind=arc --set data.path=/root/arc --set data.subsets=small --set data.test_set=small
  --set data.augmentations=4 --set data.max_grid=6 --set model.hidden_size=16 --set model.num_heads=2)
inside dis train --run-dir /root/arc_run "${arc[@]}" --set train.steps=12 --set train.global_batch=8 2>&1 | tail -n 1
inside dis predict --run /root/arc_run --input /root/arc/arc-agi_small_challenges.json --output /root/submission.json --set predict.steps=6 2>&1 | tail -n 1
[[ -s $root/root/submission.json ]]
inside python3 -m torch.distributed.run --no-python --standalone --nproc_per_node 2 /env/bin/dis train --config nqueens/quickstart.json \
  --run-dir /root/ranks --set train.steps=60 2>&1 | tail -n 1
[[ -e $root/root/ranks/checkpoints/latest/model.safetensors ]]

# A LibTorch without CUDA: the same program, its CUDA part left alone.
rm "$root"/env/lib/python3.11/site-packages/torch/lib/lib{torch_cuda,c10_cuda}*.so
inside dis info | grep -q 'CUDA .*no: libtorch_cuda.so'
inside dis train --config nqueens/quickstart.json --run-dir /root/cpu --set train.steps=12 2>&1 | tail -n 1

inside pip uninstall --quiet --yes dis-toolkit
[[ ! -e $root/env/bin/dis && ! -e $root/env/lib/python3.11/site-packages/dis_toolkit ]]
say "uninstalled" "nothing is left"
