/boot/xen.gz placeholder spec-ctrl=eager-fpu
