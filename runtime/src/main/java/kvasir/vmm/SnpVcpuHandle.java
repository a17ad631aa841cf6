package kvasir.vmm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vcpu;
import kvasir.kvm.snp.LaunchUpdate;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.SnpProcessor;
import kvasir.metal.snp.Vmsa;
import kvasir.metal.snp.psp.PageType;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Guest;
import kvasir.registry.Outcome;
import kvasir.vmm.launch.SnpVmLaunch;

/** A vCPU of an SNP guest as scripts hold it. */
final class SnpVcpuHandle extends VcpuHandle {
    static final Api<SnpVcpuHandle> API = declareSnp(
                    declare(Api.of("snp vcpu", SnpVcpuHandle.class, "A virtual processor of an SNP guest.")))
            .build();

    private static final int PAGE = 4096;
    private static final long TABLE = 0x23;
    private static final long HUGE_PAGE = 0xe3;
    private static final long ENCRYPTED = 1L << SnpProcessor.ENCRYPTION_BIT;

    private final SnpVm snp;

    SnpVcpuHandle(Machine machine, Vcpu vcpu, SnpVm snp) {
        super(machine, vcpu);
        this.snp = snp;
    }

    private static Api.Builder<SnpVcpuHandle> declareSnp(Api.Builder<SnpVcpuHandle> api) {
        return api.operation(
                        "add_guest",
                        List.of(
                                Parameter.of("guest", Kind.GUEST, "", "an asm64 program"),
                                Parameter.of("at", Kind.U64, "bytes", "gpa of its first byte")
                                        .asKeyword()),
                        "KVM_SEV_SNP_LAUNCH_UPDATE of the program and of five pages behind it (PML4, PDPT, GDT, stack, a "
                                + "second PDPT), measured as normal pages, and registers that start it in 64-bit mode, which "
                                + "become the VMSA at launch_finish. Linear addresses are guest physical ones, private; from "
                                + "512G on the same addresses again with C=0: shared memory.",
                        "g.vcpu0.add_guest probe at 1M",
                        (v, a) -> v.addGuest(a.get("guest", Guest.class), a.u64("at")))
                .operation(
                        "start_at",
                        List.of(Parameter.of("eip", Kind.U64, "bytes", "of the firmware's SEV-ES reset block")),
                        "The vCPU's start in real mode, as QEMU sets it for APs before launch_finish. EINVAL after it.",
                        "g.vcpu1.start_at firmware.ap_start",
                        (v, a) -> v.vcpu()
                                .setRegisters(() -> SnpVmLaunch.startAt(v.cpu(), (int) a.u64("eip")))
                                .outcome())
                .operation(
                        "init",
                        List.of(),
                        "INIT: a VMSA that the guest gave with AP creation on INIT is used from the next run on.",
                        "g.vcpu1.init",
                        (v, _) -> {
                            v.snp.init(v.vcpu().id());
                            return Outcome.ok();
                        })
                .property(
                        "vmpl",
                        "u64",
                        "VMPL of the VMSA that ran last.",
                        "assert g.vcpu0.vmpl == 0",
                        v -> v.snp.processor(v.vcpu().id())
                                .map(p -> (long) p.vmpl())
                                .orElse(0L))
                .property(
                        "npf",
                        "record",
                        "The last nested page fault as the VMCB tells it: `gpa` (EXITINFO2) and `error` (EXITINFO1: bit 31 RMP, "
                                + "32 final gpa, 33 guest page table, 34 C=1, 35 size mismatch, 36 VMPL; low bits as #PF). Zeros "
                                + "before the first.",
                        "assert g.vcpu0.npf.error == 0x15_8000_0005",
                        v -> Map.of(
                                "gpa",
                                v.snp.faultGpaOf(v.vcpu().id()),
                                "error",
                                v.snp.faultInfoOf(v.vcpu().id())))
                .property(
                        "ghcb_msr",
                        "u64",
                        "MSR C001_0130: gpa of the GHCB, or a message of the MSR protocol.",
                        "show g.vcpu0.ghcb_msr",
                        v -> v.snp.processor(v.vcpu().id())
                                .map(SnpProcessor::ghcb)
                                .orElse(0L))
                .property(
                        "ghcb",
                        "u64",
                        "GPA of the GHCB that the guest registered; all ones before.",
                        "assert g.vcpu0.ghcb == 2M",
                        v -> v.snp.ghcbOf(v.vcpu().id()))
                .property(
                        "vmsa_page",
                        "u64",
                        "Host address of the VMSA in use; 0 before launch_finish, all ones once the guest took it away.",
                        "assert g.rmp[g.vcpu0.vmsa_page] is GUEST_VALID vmsa true",
                        v -> v.snp.vmsaOf(v.vcpu().id()))
                .property(
                        "vmsa",
                        "record",
                        "Fields of the VMSA in use, as the guest's key shows them.",
                        "show g.vcpu0.vmsa",
                        SnpVcpuHandle::vmsa);
    }

    private Outcome addGuest(Guest guest, long at) {
        if (guest.bits() != 64) {
            return new Outcome.Failed("EINVAL", "add_guest takes an asm64 program", Map.of());
        }
        byte[] code = guest.assembledAt(at).toArray();
        long tables = (at + code.length + PAGE - 1) & -PAGE;
        int offset = (int) at & (PAGE - 1);
        var pages = new byte[(offset + code.length + PAGE - 1) & -PAGE];
        System.arraycopy(code, 0, pages, offset, code.length);
        Outcome added = add(at & -PAGE, pages);
        if (added instanceof Outcome.Ok) {
            added = add(tables, systemPages(tables));
        }
        if (added instanceof Outcome.Ok) {
            GuestLoader.startLongMode(cpu(), tables, at);
        }
        return added;
    }

    private Outcome add(long gpa, byte[] content) {
        Memslot slot = vcpu().vm().memslots(0).lookup(gpa >>> 12);
        if (!slot.exists() || !vcpu().vm().mm().write(slot.hva(gpa >>> 12), content, 0, content.length)) {
            return new Outcome.Failed("EFAULT", "no memory for the program at gpa 0x%x".formatted(gpa), Map.of());
        }
        IoctlResult result = SnpVmLaunch.updateAll(
                snp, new LaunchUpdate(gpa >>> 12, slot.hva(gpa >>> 12), content.length, PageType.NORMAL.code(), 0));
        return result.outcome();
    }

    private static byte[] systemPages(long tables) {
        ByteBuffer out = ByteBuffer.allocate(5 * PAGE).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(0, tables + PAGE | ENCRYPTED | TABLE);
        out.putLong(8, tables + 4 * PAGE | ENCRYPTED | TABLE);
        for (int i = 0; i < 512; i++) {
            out.putLong(PAGE + 8 * i, (long) i << 30 | ENCRYPTED | HUGE_PAGE);
            out.putLong(4 * PAGE + 8 * i, (long) i << 30 | HUGE_PAGE);
        }
        out.putLong(2 * PAGE + 0x08, 0x00af_9b00_0000_ffffL);
        out.putLong(2 * PAGE + 0x10, 0x00cf_9300_0000_ffffL);
        return out.array();
    }

    private Map<String, ?> vmsa() {
        var fields = new LinkedHashMap<String, Object>();
        long page = snp.vmsaOf(vcpu().id());
        if (page <= 0) {
            return fields;
        }
        PhysicalMemory memory = vcpu().vm().kvm().memory();
        fields.put("vmpl", (long) memory.read8(page + Vmsa.VMPL));
        fields.put("cpl", (long) memory.read8(page + Vmsa.CPL));
        fields.put("efer", memory.read64(page + Vmsa.EFER));
        fields.put("cr0", memory.read64(page + Vmsa.CR0));
        fields.put("cr3", memory.read64(page + Vmsa.CR3));
        fields.put("cr4", memory.read64(page + Vmsa.CR4));
        fields.put("rflags", memory.read64(page + Vmsa.RFLAGS));
        fields.put("rip", memory.read64(page + Vmsa.RIP));
        fields.put("rsp", memory.read64(page + Vmsa.RSP));
        fields.put("rax", memory.read64(page + Vmsa.RAX));
        fields.put("rcx", memory.read64(page + Vmsa.RCX));
        fields.put("rdx", memory.read64(page + Vmsa.RDX));
        fields.put("sev_features", memory.read64(page + Vmsa.SEV_FEATURES));
        fields.put("xcr0", memory.read64(page + Vmsa.XCR0));
        return fields;
    }

    @Override
    public Api<?> api() {
        return API;
    }
}
