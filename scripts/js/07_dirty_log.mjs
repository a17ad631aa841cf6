// 7. Which pages did the guest write? The bitmap comes as bytes.
import { vm, asm64, assert, test } from "kvs";

const plain = vm({
    type: "default",
    vcpus: 1,
    memory: [
        { range: "0 .. 4M", backing: "anon", populate: true },
        { gpa: "4M", size: "256K", backing: "anon", populate: true, log_dirty: true },
    ],
});

const writer = asm64`
        mov  byte [0x400000], 1         // page 0 of slot 1
        mov  byte [0x403000], 1         // page 3
        hlt
`;

const pages = (bitmap) =>
    [...bitmap.toUint8Array()].flatMap((byte, i) => [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (1 << bit)).map((bit) => 8 * i + bit));

test("collect, write, collect", () => {
    plain.vcpu0.load(writer, { at: "1M" });
    assert.outcome(plain.vcpu0.run(), "HLT");
    assert.equal(pages(plain.get_dirty_log(1).bitmap), [0, 3]);
    assert.equal(pages(plain.get_dirty_log(1).bitmap), []); // collecting cleared them
});
