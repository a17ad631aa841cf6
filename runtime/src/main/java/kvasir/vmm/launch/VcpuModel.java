package kvasir.vmm.launch;

import java.util.List;
import java.util.Optional;

/**
 * The processor a VMM presents, as far as a measured VMSA shows it.
 *
 * @param family with the extended family added, as CPUID readers print it
 * @param model with the extended model
 */
public record VcpuModel(String name, int family, int model, int stepping) {
    private static final List<VcpuModel> QEMU = List.of(
            new VcpuModel("EPYC", 23, 1, 2),
            new VcpuModel("EPYC-Rome", 23, 49, 0),
            new VcpuModel("EPYC-Milan", 25, 1, 1),
            new VcpuModel("EPYC-Genoa", 25, 17, 0),
            new VcpuModel("EPYC-Turin", 26, 0, 0));

    /** QEMU's model with this name; a version ({@code -v4}) or {@code -IBPB} changes nothing here. */
    public static Optional<VcpuModel> named(String name) {
        String base = name.replaceFirst("(-v[0-9]+|-IBPB)$", "");
        return QEMU.stream().filter(m -> m.name.equals(base)).findFirst();
    }

    /** Names of the models that are known. */
    public static List<String> names() {
        return QEMU.stream().map(VcpuModel::name).toList();
    }

    /** CPUID 1 EAX, which is RDX after reset. */
    public int signature() {
        int high = family > 15 ? (family - 15 & 0xff) << 20 | 0xf << 8 : family << 8;
        return high | (model >>> 4) << 16 | (model & 15) << 4 | stepping & 15;
    }
}
