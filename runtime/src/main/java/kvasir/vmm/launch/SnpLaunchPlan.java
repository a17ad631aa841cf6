package kvasir.vmm.launch;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import kvasir.metal.snp.psp.PageType;
import kvasir.registry.Bytes;

/**
 * What a VMM gives the guest at launch, in its order: the firmware image, the sections of its metadata in table order,
 * and the vCPUs, which KVM adds at KVM_SEV_SNP_LAUNCH_FINISH.
 *
 * @param updates ranges for KVM_SEV_SNP_LAUNCH_UPDATE
 * @param vmsas one 4096-byte page for each vCPU
 */
public record SnpLaunchPlan(List<Update> updates, List<Bytes> vmsas) {
    private static final long PAGE = 4096;
    private static final long MOST_BYTES = 2L << 30;

    /**
     * One KVM_SEV_SNP_LAUNCH_UPDATE.
     *
     * @param gpa 4 KiB aligned
     * @param size bytes, a multiple of 4 KiB
     * @param content {@code size} bytes; empty for a type that has no source
     * @param what for a person
     */
    public record Update(PageType type, long gpa, long size, Optional<Bytes> content, String what) {}

    /**
     * What to launch.
     *
     * @param firmware the OVMF image
     * @param boot kernel, initrd and command line of a direct boot
     * @param vcpus at least 1
     * @param signature of the processor that the guest sees
     * @param features SEV_FEATURES of each VMSA; bit 0 is set by KVM
     */
    public record Request(
            OvmfImage firmware, Optional<DirectBoot> boot, int vcpus, int signature, long features, VmmType vmm) {}

    public SnpLaunchPlan {
        updates = List.copyOf(updates);
        vmsas = List.copyOf(vmsas);
    }

    /** The same without its first update, the firmware image. */
    SnpLaunchPlan withoutFirmware() {
        return new SnpLaunchPlan(updates.subList(1, updates.size()), vmsas);
    }

    /** The plan that QEMU, EC2 or GCE follows. */
    public static SnpLaunchPlan of(Request request) throws LaunchRefused {
        OvmfImage firmware = request.firmware();
        var updates = new ArrayList<Update>();
        updates.add(new Update(
                PageType.NORMAL,
                firmware.gpa(),
                firmware.content().length(),
                Optional.of(firmware.content()),
                "firmware"));
        boolean hasHashes = firmware.sections().stream().anyMatch(s -> s.type() == SevSection.Type.KERNEL_HASHES);
        if (request.boot().isPresent() && !hasHashes) {
            throw new LaunchRefused(
                    "a kernel was given, but the firmware's metadata has no KERNEL_HASHES section to measure it");
        }
        checkPlaces(firmware);
        for (SevSection section : inLaunchOrder(firmware.sections(), request.vmm())) {
            updates.add(update(section, request));
        }
        return new SnpLaunchPlan(updates, vmsas(request));
    }

    /** What KVM_SEV_SNP_LAUNCH_UPDATE would refuse: half pages, and pages that are there already. */
    private static void checkPlaces(OvmfImage firmware) throws LaunchRefused {
        var taken = new TreeMap<Long, Long>();
        taken.put(firmware.gpa(), firmware.gpa() + firmware.content().length());
        long bytes = firmware.content().length();
        for (SevSection section : firmware.sections()) {
            String what = "the %s section at gpa 0x%x, 0x%x bytes,"
                    .formatted(section.type().name(), section.gpa(), section.size());
            boolean onePage = section.type() == SevSection.Type.SNP_SECRETS || section.type() == SevSection.Type.CPUID;
            long size = onePage ? PAGE : section.size();
            if (((section.gpa() | size) & PAGE - 1) != 0) {
                throw new LaunchRefused(what + " is not made of whole pages");
            }
            long end = section.gpa() + size;
            Map.Entry<Long, Long> before = taken.lowerEntry(end);
            if (size != 0 && before != null && before.getValue() > section.gpa()) {
                throw new LaunchRefused(what
                        + " overlaps what begins at gpa 0x%x: KVM_SEV_SNP_LAUNCH_UPDATE takes a page once"
                                .formatted(before.getKey()));
            }
            if (size != 0) {
                taken.put(section.gpa(), end);
            }
            bytes += size;
        }
        if (bytes > MOST_BYTES) {
            throw new LaunchRefused(
                    "the image wants 0x%x bytes launched; the emulated host takes 2 GiB".formatted(bytes));
        }
    }

    /** EC2 adds the CPUID page after all other sections. */
    private static List<SevSection> inLaunchOrder(List<SevSection> sections, VmmType vmm) {
        return vmm == VmmType.EC2
                ? sections.stream()
                        .sorted(Comparator.comparing(s -> s.type() == SevSection.Type.CPUID))
                        .toList()
                : sections;
    }

    private static Update update(SevSection section, Request request) throws LaunchRefused {
        String what = section.type().name();
        return switch (section.type()) {
            case SNP_SEC_MEM ->
                request.vmm() == VmmType.GCE
                        ? new Update(
                                PageType.UNMEASURED,
                                section.gpa(),
                                section.size(),
                                Optional.of(Bytes.of(new byte[Math.toIntExact(section.size())])),
                                what)
                        : new Update(PageType.ZERO, section.gpa(), section.size(), Optional.empty(), what);
            case SVSM_CAA -> new Update(PageType.ZERO, section.gpa(), section.size(), Optional.empty(), what);
            case SNP_SECRETS -> new Update(PageType.SECRETS, section.gpa(), 4096, Optional.empty(), what);
            case CPUID -> new Update(PageType.CPUID, section.gpa(), 4096, Optional.of(Bytes.of(new byte[4096])), what);
            case KERNEL_HASHES -> {
                if (request.boot().isPresent() && section.size() != PAGE) {
                    throw new LaunchRefused("the KERNEL_HASHES section has 0x%x bytes, and the page of hashes 0x1000"
                            .formatted(section.size()));
                }
                if (request.boot().isEmpty()) {
                    yield new Update(PageType.ZERO, section.gpa(), section.size(), Optional.empty(), what);
                }
                long table = request.firmware()
                        .hashTableGpa()
                        .orElseThrow(() -> new LaunchRefused("the firmware does not say where its hash table goes"));
                if ((table & PAGE - 1) + KernelHashes.PADDED_BYTES > PAGE) {
                    throw new LaunchRefused("the hash table at gpa 0x%x does not fit into its page".formatted(table));
                }
                yield new Update(
                        PageType.NORMAL,
                        section.gpa(),
                        PAGE,
                        Optional.of(KernelHashes.page(request.boot().get(), table)),
                        what);
            }
        };
    }

    private static List<Bytes> vmsas(Request request) throws LaunchRefused {
        var vmsas = new ArrayList<Bytes>();
        for (int vcpu = 0; vcpu < request.vcpus(); vcpu++) {
            int eip = VmsaImage.RESET_VECTOR;
            if (vcpu > 0) {
                eip = request.firmware()
                        .resetEip()
                        .orElseThrow(() -> new LaunchRefused("the firmware has no reset block for more vCPUs"));
            }
            vmsas.add(VmsaImage.of(request.vmm(), eip, request.signature(), request.features()));
        }
        return vmsas;
    }
}
