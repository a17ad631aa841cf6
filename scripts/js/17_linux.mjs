// 17. A Debian kernel from JavaScript: to a shell, a command on its serial port, a snapshot, off.
import { machine, vm, file, installed, assert, test } from "kvs";

const pc = vm({
    type: "default",
    vcpus: 1,
    memory: { range: "0 .. 256M" },
    irqchip: {},
    devices: {},
    virtio: { kind: "rng", seed: 7n },
});

test("a shell, twice", () => {
    const fs = machine.initramfs(file(installed("/bin/busybox")));
    const kernel = machine.linux(file(installed("/boot/vmlinuz-*-cloud-amd64")), {
        initrd: fs.cpio,
        cmdline: "console=ttyS0 quiet",
    });
    pc.boot(kernel);
    pc.expect("serial", "/ # ");
    const shell = machine.snapshot();
    for (let round = 0; round < 2; round++) {
        pc.send("serial", "uname -s -m; echo $((6 * 7))\n");
        pc.expect("serial", "\nLinux x86_64\r\n42\r\n", { budget: 1_000_000_000 });
        machine.restore(shell);
    }
    pc.send("serial", "poweroff -f\n");
    assert.outcome(pc.run({ budget: 1_000_000_000 }), "POWER_OFF");
});
