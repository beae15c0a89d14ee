# The guest's first process after virtme-ng's initramfs has mounted the host's root, read only.
#
# It stands in for virtme-ng's own init, which starts systemd-tmpfiles and udev: over half of the
# boot in an emulated machine, for nothing that a test needs (--udev starts udev all the same).
# The host writes the interpreter line and these variables above this text:
#   BUSYBOX MODULES_TREE MODULES UDEV OVERLAYS RW_COUNT HOST_NAME COMMAND CONSOLE ROWS COLUMNS

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# From memory each small program starts ten times as fast as over 9p.
if [ "$0" != /run/init ]; then
	"$BUSYBOX" mount -t tmpfs -o mode=0755,nosuid,nodev run /run
	"$BUSYBOX" cp "$BUSYBOX" /run/busybox
	"$BUSYBOX" cp "$0" /run/init
	exec /run/busybox sh /run/init
fi
/run/busybox mount -t proc -o nosuid,noexec,nodev proc /proc
read -r up rest </proc/uptime
mount -t sysfs -o nosuid,noexec,nodev sys /sys
mount -t devtmpfs -o mode=0755,nosuid dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm /dev/virtio-ports /run/lock
mount -t devpts -o gid=5,mode=620,ptmxmode=666,noexec,nosuid devpts /dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev shm /dev/shm
ln -sf /proc/self/fd /dev/fd
ln -sf /proc/self/fd/0 /dev/stdin
ln -sf /proc/self/fd/1 /dev/stdout
ln -sf /proc/self/fd/2 /dev/stderr

# Without udev nobody names the ports; sysfs knows them.
for port in /sys/class/virtio-ports/*; do
	read -r name <"$port/name" && ln -s "/dev/${port##*/}" "/dev/virtio-ports/$name"
done
exec 9>/dev/virtio-ports/scxhid.control
echo "init $up" >&9

mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf -o mode=0700 bpf /sys/fs/bpf
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
mount -t configfs configfs /sys/kernel/config 2>/dev/null

modules="$MODULES_TREE/lib/modules/$(uname -r)"
insmod "$modules/kernel/fs/overlayfs/overlay.ko"
# The root stays the host's and read only; what is written to these goes to memory and is lost.
for dir in $OVERLAYS; do
	upper="/run/overlay$dir"
	mkdir -p "$upper/upper" "$upper/work"
	mount -t overlay -o "xino=off,lowerdir=$dir,upperdir=$upper/upper,workdir=$upper/work" \
		overlay "$dir"
done
# Where the host's user is not root, its /root is closed to QEMU, and so to the guest.
ls /root >/dev/null 2>&1 || mount -t tmpfs -o mode=0700 root /root
# Directories that the host shares for writing, above the overlays.
i=0
while [ "$i" -lt "$RW_COUNT" ]; do
	eval "dir=\$RW_$i"
	mount -t 9p -o rw,version=9p2000.L,trans=virtio,access=any,msize=512000 "rw$i" "$dir"
	i=$((i + 1))
done

hostname "$HOST_NAME"
ifconfig lo 127.0.0.1 up

mkdir -p /lib/modules
mount -t tmpfs -o mode=0755 modules /lib/modules
ln -s "$modules" /lib/modules/
[ -z "$MODULES" ] || modprobe -a $MODULES
if [ "$UDEV" = 1 ]; then
	/lib/systemd/systemd-udevd --daemon 2>/dev/null
	udevadm trigger --type=subsystems --action=add
	udevadm trigger --type=devices --action=add
	udevadm settle --timeout=60
fi

read -r up rest </proc/uptime
echo "command $up" >&9
if [ "$CONSOLE" = 1 ]; then
	# The size is lost when the console is closed, hence in the session that keeps it open.
	export ROWS COLUMNS COMMAND
	setsid -c "$BUSYBOX" sh -c 'stty rows "$ROWS" cols "$COLUMNS"; . "$COMMAND"' \
		9>&- </dev/hvc0 >/dev/hvc0 2>&1
else
	setsid "$BUSYBOX" sh "$COMMAND" 9>&- </dev/virtio-ports/virtme.stdin \
		>/dev/virtio-ports/virtme.stdout 2>/dev/virtio-ports/virtme.stderr
fi
status=$?
sync
echo "exit $status" >&9
poweroff -f
