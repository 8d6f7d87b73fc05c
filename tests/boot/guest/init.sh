#!/bin/busybox sh
# First process of the guest: the test machine's own root, read-only, under Debian's kernel with dm-crypt; then guest.py.
# /settings (in the initramfs) says VERSION, MODULES, PYTHON and ROOT, folders of the test machine, and STEP.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
. /settings
modules() { for name in "$@"; do modprobe "$name" || echo "no $name"; done; }
modules virtio_pci 9pnet_virtio 9p
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose hostroot /host
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 card /host/mnt
rm -rf /lib/modules
mkdir -p /lib/modules
ln -s "/host$MODULES/lib/modules/$VERSION" "/lib/modules/$VERSION"
modules virtio_blk virtio_net dm_crypt af_alg algif_skcipher xts aes_generic ext4 tpm_tis
mount -t proc proc /host/proc
mount -t sysfs sys /host/sys
mount -t devtmpfs dev /host/dev
mount -t tmpfs run /host/run
mount -t tmpfs tmp /host/var/lib
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
chroot /host /bin/sh -c "cd $ROOT && exec $PYTHON -m tests.boot.guest.guest $STEP" </dev/null
echo "GUEST ENDED $?"
sync
poweroff -f
