#!/bin/sh

/bin/mount -t proc none /proc
/bin/mount -t sysfs sysfs /sys
echo "Enjoy your new system!"
/bin/sh
