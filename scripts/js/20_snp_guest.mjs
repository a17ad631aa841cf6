// 20. An SNP guest from JavaScript: launched, measured, its pages in the reverse map, and a report that verifies.
import { vm, asm64, assert, test } from "kvs";

const g = vm({ type: "snp", vcpus: 1, memory: [{ gpa: 0, size: "16M", private: true }] });

const program = asm64`
        mov  eax, 0x300000                  ; a page of ours: validated, and written
        xor  ecx, ecx
        mov  edx, 1
        pvalidate
        mov  r15, rax
        mov  qword [0x300000], 0x77
        hlt
`;

test("from LAUNCH_START to a report", () => {
    assert.outcome(g.launch_update({ start: 0, end: 0x1000 }), "EINVAL");       // there is no context yet
    assert.outcome(g.memory_encrypt_op(2), "EPERM");                            // KVM_SEV_LAUNCH_START is of plain SEV
    g.launch_start();
    g.launch_update({ start: 0, end: 0x1000 }, { type: "secrets" });
    g.vcpu0.add_guest(program, { at: 0x100000 });
    g.launch_finish();
    g.set_attributes(0x200000, 0x300000, "shared");

    assert.outcome(g.vcpu0.run(), "HLT");
    assert.equal(g.vcpu0.r15, 0n);
    assert.is(g.rmp_of(0x300000), "GUEST_VALID");
    assert.outcome(g.host_write(g.spa(0x300000)), "PF");                        // the host may not

    const report = g.guest_report({ secrets: 0, through: 0x200000, data: new Uint8Array([1, 2, 3, 4]) });
    assert.outcome(report, "ok", { signed_by: "VCEK", policy: 0x30000 });
    assert.equal(report.measurement, g.launch_digest);
    assert.outcome(g.verify_report(report.report), "ok");
    const forged = Uint8Array.from(report.report);
    forged[0x90] ^= 1;
    assert.outcome(g.verify_report(forged), "EKEYREJECTED");
});
