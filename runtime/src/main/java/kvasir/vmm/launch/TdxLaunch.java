package kvasir.vmm.launch;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.kvm.mm.Mm;
import kvasir.kvm.tdx.InitVm;
import kvasir.kvm.tdx.MemRegion;
import kvasir.kvm.tdx.TdxCmd;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.Operand;
import kvasir.registry.Bytes;
import kvasir.registry.Range;

/**
 * QEMU's launch of a TD from a TDVF image (target/i386/kvm/tdx.c): KVM_TDX_INIT_VM, vCPUs, KVM_TDX_INIT_VCPU with the
 * address of the TD HOB, KVM_TDX_INIT_MEM_REGION for each section, KVM_TDX_FINALIZE_VM. Each step is a method of its own.
 */
public final class TdxLaunch {
    private static final int MEASURE = 1;

    private final TdxVm td;
    private final Vm vm;
    private final TdvfImage image;

    /** In which order the host adds and extends the pages of a section. */
    public enum Pass {
        /** Upstream KVM: each page is added, then extended. */
        SINGLE,
        /** Kernels of the v19 era: all pages of a section are added, then all are extended. */
        TWO
    }

    /** A launch of {@code image} in {@code td}, whose memory is there and private. */
    public TdxLaunch(TdxVm td, TdvfImage image) {
        this.td = td;
        this.vm = td.vm();
        this.image = image;
    }

    /** KVM_TDX_INIT_VCPU on every vCPU that is not initialised with the address of the HOB list already. */
    public IoctlResult initVcpus() {
        for (Vcpu vcpu : vm.vcpus()) {
            if (td.vcpuState(vcpu.id())
                    .filter(state -> state.gpr(Operand.RCX) == image.hobGpa())
                    .isPresent()) {
                continue;
            }
            IoctlResult result = td.initVcpu(vcpu, image.hobGpa(), TdxCmd.PLAIN);
            if (!result.succeeded()) {
                return result;
            }
        }
        return IoctlResult.done();
    }

    /**
     * KVM_TDX_INIT_MEM_REGION for every section, in the order of the metadata.
     *
     * @param ram all guest memory, for the HOB list
     * @throws LaunchRefused if the HOB list does not fit its section
     */
    public IoctlResult addSections(List<Range> ram, Pass pass) throws LaunchRefused {
        for (TdvfSection section : image.sections()) {
            if (section.augment()) {
                continue;
            }
            IoctlResult result = addSection(section, memoryOf(section, ram), pass);
            if (!result.succeeded()) {
                return result;
            }
        }
        return IoctlResult.done();
    }

    private Bytes memoryOf(TdvfSection section, List<Range> ram) throws LaunchRefused {
        return section.type() == TdvfSection.Type.TD_HOB ? image.hobList(ram) : image.memoryOf(section);
    }

    private IoctlResult addSection(TdvfSection section, Bytes content, Pass pass) {
        Vcpu vcpu = vm.vcpus().getFirst();
        long pages = section.memorySize() >>> 12;
        long hva = vm.mm().mmap(Optional.empty(), 0, pages, Mm.anonymous(false));
        vm.mm().write(hva, content.toArray(), 0, content.length());
        var region = new MemRegion(hva, section.gpa(), pages);
        boolean now = section.extend() && pass == Pass.SINGLE;
        IoctlResult result = td.initMemRegion(vcpu, region, TdxCmd.flags(now ? MEASURE : 0));
        if (result.succeeded() && section.extend() && pass == Pass.TWO) {
            result = td.extendRange(section.gpa(), pages);
        }
        vm.mm().munmap(hva, hva + section.memorySize());
        return result;
    }

    /**
     * All steps after KVM_CREATE_VM and the memory slots.
     *
     * @param ram all guest memory, in ascending order
     * @param createVcpus KVM_CREATE_VCPU of every vCPU
     * @throws LaunchRefused if the HOB list does not fit its section
     */
    public IoctlResult run(InitVm init, List<Range> ram, Pass pass, Supplier<IoctlResult> createVcpus)
            throws LaunchRefused {
        IoctlResult result = td.initVm(init, TdxCmd.PLAIN);
        if (result.succeeded()) {
            result = createVcpus.get();
        }
        if (result.succeeded()) {
            result = initVcpus();
        }
        if (result.succeeded()) {
            result = addSections(ram, pass);
        }
        return result.succeeded() ? td.finalizeVm(TdxCmd.PLAIN) : result;
    }
}
