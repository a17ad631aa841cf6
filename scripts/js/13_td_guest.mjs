// 13. A TD and its guest: it accepts a page, shares one with MapGPA and talks through it, extends an RTMR, and its report verifies.
import { vm, asm64, assert, host, test } from "kvs";

const td = vm({
    type: "tdx",
    vcpus: 1,
    memory: [{ gpa: 0, size: "64M", private: true }, { gpa: 0xffe00000, size: "2M", private: true }],
    exit_hypercall: {},
});

const attest = asm64`
        mov  eax, 6                         ; TDG.MEM.PAGE.ACCEPT
        mov  ecx, 0x200000
        tdcall
        call tell

        xor  eax, eax                       ; MapGPA: the page at 3M becomes shared
        mov  ecx, 0xfc00
        xor  r10d, r10d
        mov  r11d, 0x10001
        mov  r12, 0x800000300000
        mov  r13d, 0x1000
        tdcall
        mov  rbx, 0x8000300000              ; 512G + 3M: the same page, seen as shared memory
        mov  rax, [rbx]
        call tell

        mov  eax, 2                         ; TDG.MR.RTMR.EXTEND of RTMR1
        mov  ecx, 0x200000
        mov  edx, 1
        tdcall
        mov  eax, 4                         ; TDG.MR.REPORT at 2M + 1K, its data at 2M
        mov  ecx, 0x200400
        mov  edx, 0x200000
        xor  r8d, r8d
        tdcall
        mov  eax, 22                        ; TDG.MR.VERIFYREPORT
        mov  ecx, 0x200400
        tdcall
        call tell

tell:   mov  r15, rax                       ; TDVMCALL Instruction.IO: OUT 0x3f8, eax
        xor  eax, eax
        mov  ecx, 0xfc00
        xor  r10d, r10d
        mov  r11d, 30
        mov  r12d, 4
        mov  r13d, 1
        mov  r14d, 0x3f8
        tdcall
        ret
`;

test("accept, share, measure, report, verify", () => {
    td.vcpu0.add_guest(attest, { at: "1M" });
    td.finalize();
    assert.outcome(td.vcpu0.run(), "IO", { port: 0x3f8, data: 0 });
    assert.is(td.sept[0x200000], "MAPPED");

    assert.outcome(td.vcpu0.run(), "HYPERCALL", { gpa: 0x300000, npages: 1 });
    td.set_attributes("3M .. 3076K", "shared");
    td.write("3M", "efbeadde00000000");
    assert.outcome(td.vcpu0.run(), "IO", { data: 0xdeadbeef });

    assert.outcome(td.vcpu0.run(), "IO", { data: 0 });
    assert.outcome(host.tdx.seamcall("TDH.PHYMEM.PAGE.RDMD", { page: td.tdr }), "ok", { rcx: 4 });
});
