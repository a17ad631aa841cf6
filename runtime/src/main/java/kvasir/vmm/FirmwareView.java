package kvasir.vmm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
import kvasir.vmm.launch.TdvfImage;
import kvasir.vmm.launch.TdvfSection;

/** A firmware image and what its metadata asks of a loader: {@code tdvf("OVMF.fd")}, {@code ovmf("OVMF.fd")}. */
final class FirmwareView implements Described {
    static final Api<FirmwareView> API = declareSev(declareTdvf(
                    Api.of("firmware image", FirmwareView.class, "Firmware, and what its metadata asks of a loader.")
                            .property(
                                    "content",
                                    "bytes",
                                    "The image.",
                                    "g.launch_update firmware.gpa .. 4G from firmware.content",
                                    v -> v.content)
                            .property("size", "u64", "Bytes of the image.", "show tdvf(\"OVMF.fd\").size", v ->
                                    (long) v.content.length())
                            .property(
                                    "gpa",
                                    "u64",
                                    "Where it lies: it ends at 4G.",
                                    "show ovmf(\"OVMF.fd\").gpa",
                                    v -> (1L << 32) - v.content.length())))
            .build();

    private final Bytes content;
    private final Optional<TdvfImage> tdvf;
    private final Optional<OvmfImage> ovmf;

    private FirmwareView(Bytes content, Optional<TdvfImage> tdvf, Optional<OvmfImage> ovmf) {
        this.content = content;
        this.tdvf = tdvf;
        this.ovmf = ovmf;
    }

    private static Api.Builder<FirmwareView> declareTdvf(Api.Builder<FirmwareView> api) {
        return api.operation(
                        "section",
                        List.of(Parameter.of("index", Kind.U64, "", "of `tdvf_sections`, from 0")),
                        "What a loader puts into the memory of a TDVF section: its bytes of the image, then zeros. Zeros "
                                + "for the HOB section, see `td.hob_list`.",
                        "td.vcpu0.init_mem_region 0xffe20000 .. 4G from firmware.section(0) measure",
                        (v, a) -> v.section(a.u64("index")))
                .property(
                        "tdvf_sections",
                        "list of record",
                        "TDVF metadata in its order: type, gpa, size, data_offset, raw_size, extend, augment.",
                        "show tdvf(\"OVMF.fd\").tdvf_sections",
                        v -> v.tdvfSections().stream().map(FirmwareView::record).toList())
                .property(
                        "hob_gpa",
                        "u64",
                        "Address of the TD_HOB section, which vCPUs find in RCX and R8; 0 if there is none.",
                        "show tdvf(\"OVMF.fd\").hob_gpa",
                        v -> v.tdvf.map(TdvfImage::hobGpa).orElse(0L));
    }

    private static Api.Builder<FirmwareView> declareSev(Api.Builder<FirmwareView> api) {
        return api.operation(
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
                        "sev_sections",
                        "list of record",
                        "SEV metadata in the order of the table: type, gpa, size.",
                        "show ovmf(\"OVMF.fd\").sev_sections",
                        v -> v.sevSections().stream().map(FirmwareView::record).toList())
                .property(
                        "ap_start",
                        "u64",
                        "EIP of the SEV-ES reset block, where APs start; 0 if there is none.",
                        "show ovmf(\"OVMF.fd\").ap_start",
                        v -> Integer.toUnsignedLong(
                                v.ovmf.flatMap(OvmfImage::resetEip).orElse(0)))
                .property(
                        "hash_table",
                        "u64",
                        "GPA of the kernel hash table; 0 if the firmware checks none.",
                        "show ovmf(\"OVMF.fd\").hash_table",
                        v -> v.ovmf.flatMap(OvmfImage::hashTableGpa).orElse(0L));
    }

    /** An image that a loader of TDs takes, or ENOEXEC with the reason for which none would. */
    static Object tdvf(Bytes bytes) {
        try {
            var tdvf = TdvfImage.parse(bytes);
            return new FirmwareView(bytes, Optional.of(tdvf), parsed(() -> OvmfImage.parse(bytes)));
        } catch (LaunchRefused refused) {
            return refused(refused);
        }
    }

    /** An image that a loader of SEV guests takes, or ENOEXEC with the reason for which none would. */
    static Object ovmf(Bytes bytes) {
        try {
            var ovmf = OvmfImage.parse(bytes);
            return new FirmwareView(bytes, parsed(() -> TdvfImage.parse(bytes)), Optional.of(ovmf));
        } catch (LaunchRefused refused) {
            return refused(refused);
        }
    }

    private interface Parser<T> {
        T parse() throws LaunchRefused;
    }

    private static <T> Optional<T> parsed(Parser<T> parser) {
        try {
            return Optional.of(parser.parse());
        } catch (LaunchRefused _) {
            return Optional.empty();
        }
    }

    static Outcome refused(LaunchRefused refused) {
        return new Outcome.Failed("ENOEXEC", refused.reason(), Map.of());
    }

    /** The image as a loader of TDs sees it, if it has TDVF metadata. */
    Optional<TdvfImage> tdvf() {
        return tdvf;
    }

    /** The image as a loader of SEV guests sees it, if it has a footer table. */
    Optional<OvmfImage> ovmf() {
        return ovmf;
    }

    private List<TdvfSection> tdvfSections() {
        return tdvf.map(TdvfImage::sections).orElse(List.of());
    }

    private List<SevSection> sevSections() {
        return ovmf.map(OvmfImage::sections).orElse(List.of());
    }

    private Object section(long index) {
        List<TdvfSection> sections = tdvfSections();
        if (Long.compareUnsigned(index, sections.size()) >= 0) {
            return new Outcome.Failed("EINVAL", "there are %d TDVF sections".formatted(sections.size()), Map.of());
        }
        TdvfSection section = sections.get((int) index);
        return section.augment()
                ? new Outcome.Failed(
                        "EINVAL", "no loader fills section %d: its pages are left to AUG".formatted(index), Map.of())
                : tdvf.orElseThrow().memoryOf(section);
    }

    private Object kernelHashes(DirectBoot boot) {
        return ovmf.flatMap(OvmfImage::hashTableGpa)
                .<Object>map(gpa -> KernelHashes.page(boot, gpa))
                .orElseGet(() -> new Outcome.Failed("EINVAL", "the firmware has no kernel hash table", Map.of()));
    }

    private static Map<String, ?> record(TdvfSection section) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("type", section.type().name());
        fields.put("gpa", section.gpa());
        fields.put("size", section.memorySize());
        fields.put("data_offset", (long) section.dataOffset());
        fields.put("raw_size", (long) section.rawSize());
        fields.put("extend", section.extend());
        fields.put("augment", section.augment());
        return fields;
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
        return "firmware";
    }

    @Override
    public Optional<String> picture() {
        var lines = new ArrayList<String>();
        List<TdvfSection> sections = tdvfSections();
        for (int i = 0; i < sections.size(); i++) {
            TdvfSection s = sections.get(i);
            lines.add("tdvf %d  %-13s 0x%08x..0x%09x  image 0x%06x + 0x%06x%s%s"
                    .formatted(
                            i,
                            s.type(),
                            s.gpa(),
                            s.end(),
                            s.dataOffset(),
                            s.rawSize(),
                            s.extend() ? "  MR.EXTEND" : "",
                            s.augment() ? "  PAGE.AUG" : ""));
        }
        for (SevSection s : sevSections()) {
            lines.add("sev     %-13s 0x%08x..0x%09x".formatted(s.type(), s.gpa(), s.gpa() + s.size()));
        }
        return Optional.of(String.join("\n", lines));
    }
}
