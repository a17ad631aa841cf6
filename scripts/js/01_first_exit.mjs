// 1. A guest, and the moments it comes back: the tour again, from JavaScript.
//
// The same machine under the same names. A declaration is an object, an operation a method, an outcome an object.
//
//     kvs run scripts/js/01_first_exit.mjs
import { vm, asm16, assert, test } from "kvs";

const plain = vm({ type: "default", vcpus: 1, memory: { gpa: 0, size: "1M" } });

const hello = asm16`
        mov  al, 'K'
        mov  dx, 0x3f8
        out  dx, al             // KVM does not know this port: that is user space's business
        hlt
`;

test("a port, then a halt", () => {
    plain.vcpu0.load(hello, { at: 0x1000 });

    assert.outcome(plain.vcpu0.run(), "IO", { port: 0x3f8 });
    assert.equal(plain.vcpu0.kvm_run.io_data, "K".charCodeAt(0));

    assert.outcome(plain.vcpu0.run(), "HLT");
    assert.equal(plain.vcpu0.exits.io, 1);
    assert.equal(plain.vcpu0.exits.hlt, 1);
});
