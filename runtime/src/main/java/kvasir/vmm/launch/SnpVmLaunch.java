package kvasir.vmm.launch;

import java.util.Optional;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.kvm.snp.LaunchFinish;
import kvasir.kvm.snp.LaunchUpdate;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.Segment;
import kvasir.metal.snp.psp.FirmwareStatus;
import kvasir.metal.snp.psp.PageType;
import kvasir.registry.Arguments;
import kvasir.registry.Bytes;

/**
 * QEMU's launch of an SNP guest from an OVMF image, by the ioctls of KVM: KVM_SEV_SNP_LAUNCH_START, an update for the
 * image and for each section of its metadata, the APs' start address, KVM_SEV_SNP_LAUNCH_FINISH.
 */
public final class SnpVmLaunch {
    private final Vm vm;
    private final SnpVm snp;

    /** A launch of {@code snp}, on which KVM_SEV_INIT2 was done and whose memory is private. */
    public SnpVmLaunch(SnpVm snp) {
        this.snp = snp;
        this.vm = snp.vm();
    }

    /**
     * All of it; the first ioctl that fails is the answer.
     *
     * @throws LaunchRefused if the image, or the VM's memory, does not allow it
     */
    public IoctlResult run(OvmfImage firmware, Optional<DirectBoot> boot, long policy) throws LaunchRefused {
        int signature =
                vm.vcpus().isEmpty() ? 0 : vm.vcpus().getFirst().cpu().model().signature();
        SnpLaunchPlan plan = SnpLaunchPlan.of(
                new SnpLaunchPlan.Request(firmware, boot, vm.vcpus().size(), signature, snp.features(), VmmType.QEMU));
        IoctlResult result = snp.launchStart(policy, Bytes.of(new byte[16]), 0);
        for (SnpLaunchPlan.Update update : plan.updates()) {
            if (result.succeeded()) {
                result = update(update);
            }
        }
        if (!result.succeeded()) {
            return result;
        }
        for (Vcpu vcpu :
                vm.vcpus().subList(Math.min(1, vm.vcpus().size()), vm.vcpus().size())) {
            startAt(vcpu.cpu(), firmware.resetEip().orElse(VmsaImage.RESET_VECTOR));
        }
        return snp.launchFinish(LaunchFinish.plain());
    }

    /** sev_es_set_reset_vector of QEMU. */
    public static void startAt(Cpu cpu, int eip) {
        Segment code = cpu.segment(Segment.CS);
        long base = Integer.toUnsignedLong(eip & 0xffff_0000);
        cpu.setSegment(Segment.CS, new Segment(code.selector(), base, code.limit(), code.access()));
        cpu.setRip(eip & 0xffff);
    }

    private IoctlResult update(SnpLaunchPlan.Update update) throws LaunchRefused {
        long gfn = update.gpa() >>> 12;
        Memslot slot = vm.memslots(0).lookup(gfn);
        boolean fits = slot.exists() && update.gpa() + update.size() <= slot.endGfn() << 12;
        if (!fits) {
            throw new LaunchRefused("%s: no memory at 0x%x .. 0x%x; declare `memory 0x%x .. 0x%x private`"
                    .formatted(
                            update.what(),
                            update.gpa(),
                            update.gpa() + update.size(),
                            update.gpa(),
                            update.gpa() + update.size()));
        }
        long uaddr = slot.hva(gfn);
        Optional<Bytes> filled = update.type() == PageType.CPUID && !vm.vcpus().isEmpty()
                ? Optional.of(CpuidTable.page(snp, vm.vcpus().getFirst()))
                : update.content();
        if (filled.isPresent()) {
            byte[] content = filled.get().toArray();
            if (!vm.mm().write(uaddr, content, 0, content.length)) {
                throw new LaunchRefused(update.what() + ": the VMM's memory there cannot be written");
            }
        }
        var first = new LaunchUpdate(gfn, uaddr, update.size(), update.type().code(), 0);
        IoctlResult result = updateAll(snp, first);
        boolean corrected = update.type() == PageType.CPUID
                && !result.succeeded()
                && result.outcome().details().get("fw_status") instanceof String status
                && status.equals(FirmwareStatus.INVALID_PARAM.name());
        return corrected ? updateAll(snp, first) : result;
    }

    /** Issues KVM_SEV_SNP_LAUNCH_UPDATE again with what was left until nothing is, or until it fails, as a VMM does. */
    public static IoctlResult updateAll(SnpVm snp, LaunchUpdate first) {
        LaunchUpdate next = first;
        while (true) {
            IoctlResult result = snp.launchUpdate(next);
            if (!result.succeeded()) {
                return result;
            }
            var details = new Arguments(result.outcome().details());
            long left = details.u64("left");
            if (left == 0) {
                return result;
            }
            next = new LaunchUpdate(details.u64("gfn_start"), details.u64("uaddr"), left, next.type(), next.flags());
        }
    }
}
