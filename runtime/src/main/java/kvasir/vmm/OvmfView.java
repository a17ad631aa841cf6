package kvasir.vmm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.vmm.launch.DirectBoot;
import kvasir.vmm.launch.KernelHashes;
import kvasir.vmm.launch.LaunchRefused;
import kvasir.vmm.launch.OvmfImage;
import kvasir.vmm.launch.SevSection;

/** A firmware image with SEV metadata, {@code ovmf("OVMF.fd")}. */
final class OvmfView implements Described {
    static final Api<OvmfView> API = Api.of(
                    "ovmf image", OvmfView.class, "SEV firmware and what its metadata asks of a loader.")
            .operation(
                    "kernel_hashes",
                    List.of(
                            Parameter.of("kernel", Kind.BYTES, "", "the kernel file"),
                            Parameter.of("initrd", Kind.BYTES, "", "none if left out")
                                    .asKeyword()
                                    .orAbsent(),
                            Parameter.of("append", Kind.STRING, "", "command line")
                                    .asKeyword()
                                    .orAbsent()),
                    "The page of the KERNEL_HASHES section for a direct boot. EINVAL if the firmware has no table.",
                    "g.launch_update 0x810000 .. 0x811000 from firmware.kernel_hashes(file(\"bzImage\"))",
                    (v, a) -> v.kernelHashes(new DirectBoot(
                            a.bytes("kernel"),
                            a.optional("initrd", Bytes.class).orElse(Bytes.of()),
                            a.optional("append", String.class).orElse(""))))
            .property(
                    "content",
                    "bytes",
                    "The image.",
                    "g.launch_update firmware.gpa .. 4G from firmware.content",
                    v -> v.image.content())
            .property("gpa", "u64", "Where it lies: it ends at 4G.", "show ovmf(\"OVMF.fd\").gpa", v -> v.image.gpa())
            .property(
                    "sections",
                    "list of record",
                    "SEV metadata in the order of the table: type, gpa, size.",
                    "show ovmf(\"OVMF.fd\").sections",
                    v -> v.image.sections().stream().map(OvmfView::record).toList())
            .property(
                    "ap_start",
                    "u64",
                    "EIP of the SEV-ES reset block, where APs start; 0 if there is none.",
                    "show ovmf(\"OVMF.fd\").ap_start",
                    v -> Integer.toUnsignedLong(v.image.resetEip().orElse(0)))
            .property(
                    "hash_table",
                    "u64",
                    "GPA of the kernel hash table; 0 if the firmware checks none.",
                    "show ovmf(\"OVMF.fd\").hash_table",
                    v -> v.image.hashTableGpa().orElse(0L))
            .build();

    private final OvmfImage image;

    private OvmfView(OvmfImage image) {
        this.image = image;
    }

    /** The image in {@code bytes}, or ENOEXEC with the reason for which a loader would not take it. */
    static Object of(Bytes bytes) {
        try {
            return new OvmfView(OvmfImage.parse(bytes));
        } catch (LaunchRefused refused) {
            return new Outcome.Failed("ENOEXEC", refused.reason(), Map.of());
        }
    }

    OvmfImage image() {
        return image;
    }

    private Object kernelHashes(DirectBoot boot) {
        return image.hashTableGpa()
                .<Object>map(gpa -> KernelHashes.page(boot, gpa))
                .orElseGet(() -> new Outcome.Failed("EINVAL", "the firmware has no kernel hash table", Map.of()));
    }

    private static Map<String, ?> record(SevSection section) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("type", section.type().name());
        fields.put("gpa", section.gpa());
        fields.put("size", section.size());
        return fields;
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return "ovmf image";
    }

    @Override
    public Optional<String> picture() {
        return Optional.of(image.sections().stream()
                .map(s -> "0x%08x..0x%08x  %s".formatted(s.gpa(), s.gpa() + s.size(), s.type()))
                .collect(Collectors.joining("\n")));
    }
}
