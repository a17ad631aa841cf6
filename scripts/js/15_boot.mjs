// 15. A multiboot kernel from JavaScript: its serial port and its exit code.
import { machine, vm, bytes, assert, test } from "kvs";

const pc = vm({ type: "default", vcpus: 1, memory: { range: "0 .. 8M" }, irqchip: {}, devices: {} });

// Prints its command line and its module. An ELF file: file("x.flat") reads one from a folder.
const kernel = bytes(
    "7f454c46010101000000000000000000020003000100000060001000340000000000000000000000340020000100000000000000" +
        "010000000000000000001000000010009a0000009a0000000700000000100000" +
        "02b0ad1b00000000fe4f52e4" +
        "31ed3d02b0ad2b0f95c00fb6e88b7310baf8030000ac84c07403eeebf8b00aee" +
        "f60308740c8b7b188b378b4f0429f1f36e89e8baf4000000eff4",
);

test("command line, module, exit code", () => {
    pc.boot(machine.multiboot(kernel, { name: "x.flat" }), { args: "a b", initrd: "686921" });
    assert.outcome(pc.run(), "DEBUG_EXIT", { code: 1 });
    assert.equal(pc.serial, "x.flat a b\nhi!");
});

test("what is no kernel", () => {
    assert.outcome(machine.multiboot(bytes("00".repeat(64))), "ENOEXEC");
});
