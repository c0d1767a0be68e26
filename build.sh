#!/bin/bash
# SPDX-License-Identifier: MIT
#
# build.sh VERB: the one entry. It makes, runs and tests Enso; `./build.sh help` says how. The work itself is in each
# folder's Makefile: this file only knows their order, what Debian must have installed, and how to start the machine.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")"

# Debian packages: to build, to run in an emulator, to measure, to test.
to_build="gcc clang make binutils libxen-dev libxml2-dev libjansson-dev zlib1g-dev liblzma-dev libzstd-dev liblz4-dev
	libxxhash-dev libssl-dev busybox-static kmod cpio xz-utils zstd lz4 bzip2 gzip grub-common grub-pc-bin
	grub-efi-amd64-bin xorriso
	mtools e2fsprogs dnsmasq-base nftables qemu-utils debootstrap gpgv debian-archive-keyring"
to_run="qemu-system-x86 ovmf"
to_bench="python3 libc6-dev"
to_aims="flex bison bc libelf-dev"
to_test="libxml2-utils lld libclang-rt-14-dev libcmocka-dev gcc-multilib python3 gdb e2fsprogs"

help() {
	cat <<-'END'
		usage: ./build.sh VERB [OPTION...]

		  iso                      make build/enso.iso (BIOS and UEFI, CD or stick)
		  run [OPTION...]          start it in QEMU; this terminal is its serial console
		      --uefi               with UEFI firmware (default: BIOS)
		      --smp N              with N CPUs (default: 2)
		      --mem MIB            with MIB of memory (default: 2048)
		      --vga                with a screen in a window
		      --disk FILE          with FILE as a disk (may be repeated)
		      --peer               Debian's Xen 4.17 in place of our hypervisor
		      -- ARG...            everything after -- goes to QEMU
		  test [--all] [PATTERN]   run the tests (whose name holds PATTERN); --all: the full matrix
		  bench [--quick] [ROWS]   measure native Linux, Xen 4.17 and Enso side by side (bench --help says more)
		  bench aims [OPTION...]   measure our toolstack beside Debian's xl (bench aims --help says more)
		  deps                     install the Debian packages that are missing
		  clean                    remove what was made (build/)
		  help                     this
	END
}

# Installs what is missing of the packages named; asks dpkg alone when nothing is.
need() {
	local missing root=
	missing=$(comm -13 <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii  *//p' | sort -u) \
		<(printf '%s\n' $* | sort -u))
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] || root="sudo "
	echo "installing" $missing
	export DEBIAN_FRONTEND=noninteractive
	apt-cache show $missing >/dev/null 2>&1 || $root apt-get -qq update
	${root}env DEBIAN_FRONTEND=noninteractive \
		apt-get -qq -y --no-install-recommends install $missing >/dev/null
}

deps() { need $to_build $to_run $to_test; }

jobs=-j$(nproc)

iso() {
	need $to_build
	for folder in hypervisor toolstack guest-kernels; do
		make -s $jobs -C $folder
	done
	make -s -C dom0-rootfs "${1:-iso}"
}

run() {
	local firmware=() accel=tcg cpu=max smp=2 mem=2048 screen=(-display none) disks=() image=enso
	while [ $# -gt 0 ]; do
		case $1 in
		--uefi) firmware=(-bios /usr/share/ovmf/OVMF.fd) ;;
		--smp) smp=$2; shift ;;
		--mem) mem=$2; shift ;;
		--vga) screen=() ;;
		--disk) disks+=(-drive "file=$2,if=virtio,format=raw"); shift ;;
		--peer) image=peer cpu=max,smap=off,smep=off ;;
		--) shift; break ;;
		*) echo "run: unknown option $1" >&2; exit 2 ;;
		esac
		shift
	done
	need $to_run
	iso $image.iso
	echo "The machine's serial console. Ctrl-a x leaves (and turns it off), Ctrl-a h tells more."
	# QEMU 7.2's threads may keep a translation of code that was patched: seen with 8 CPUs (README).
	if [ "$smp" -gt 4 ]; then accel=tcg,thread=single; fi
	exec qemu-system-x86_64 -machine q35 -accel "$accel" -cpu "$cpu" -smp "$smp" -m "$mem" \
		"${firmware[@]}" "${screen[@]}" "${disks[@]}" -cdrom "build/$image.iso" \
		-nic user,model=virtio-net-pci -serial mon:stdio "$@"
}

run_tests() {
	deps
	iso
	exec tests/run "$@"
}

bench() {
	need $to_run $to_bench
	iso
	make -s -C dom0-rootfs "$PWD/build/peer/xen.gz"
	if [ "${1:-}" = aims ]; then
		shift
		need $to_aims
		make -s -C tests/bench aims
		exec tests/bench/aims "$@"
	fi
	make -s -C tests/bench
	exec tests/bench/run "$@"
}

verb=${1:-help}
[ $# = 0 ] || shift
case $verb in
help | --help | -h) help ;;
deps | bench | run) "$verb" "$@" ;;
iso) iso ;;
test) run_tests "$@" ;;
clean) rm -rf build ;;
*) help >&2; exit 2 ;;
esac
