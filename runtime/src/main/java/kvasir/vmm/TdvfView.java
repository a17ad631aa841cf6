package kvasir.vmm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.vmm.launch.LaunchRefused;
import kvasir.vmm.launch.TdvfImage;
import kvasir.vmm.launch.TdvfSection;

/** A firmware image with TDVF metadata, {@code tdvf("OVMF.fd")}. */
final class TdvfView implements Described {
    static final Api<TdvfView> API = Api.of(
                    "tdvf image", TdvfView.class, "TD firmware and what its metadata asks of a loader.")
            .operation(
                    "content",
                    List.of(Parameter.of("section", Kind.U64, "", "index, from 0")),
                    "What a loader puts into the section's memory: its bytes of the image, then zeros. Zeros for the HOB "
                            + "section, see `td.hob_list`.",
                    "td.vcpu0.init_mem_region 0xffe20000 .. 4G from firmware.content(0) measure",
                    (v, a) -> v.content(a.u64("section")))
            .property(
                    "sections",
                    "list of record",
                    "In the order of the metadata: type, gpa, size, data_offset, raw_size, extend, augment.",
                    "show tdvf(\"OVMF.fd\").sections",
                    v -> v.image.sections().stream().map(TdvfView::record).toList())
            .property(
                    "hob_gpa",
                    "u64",
                    "Address of the TD_HOB section, which vCPUs find in RCX and R8; 0 if there is none.",
                    "show tdvf(\"OVMF.fd\").hob_gpa",
                    v -> v.image.hobGpa())
            .property("size", "u64", "Bytes of the image.", "show tdvf(\"OVMF.fd\").size", v ->
                    (long) v.image.content().length())
            .build();

    private final TdvfImage image;

    private TdvfView(TdvfImage image) {
        this.image = image;
    }

    /** The image in {@code bytes}, or ENOEXEC with the reason for which a loader would not take it. */
    static Object of(Bytes bytes) {
        try {
            return new TdvfView(TdvfImage.parse(bytes));
        } catch (LaunchRefused refused) {
            return new Outcome.Failed("ENOEXEC", refused.reason(), Map.of());
        }
    }

    TdvfImage image() {
        return image;
    }

    private Object content(long section) {
        return section >= 0 && section < image.sections().size()
                ? image.memoryOf(image.sections().get((int) section))
                : new Outcome.Failed(
                        "EINVAL",
                        "there are %d sections".formatted(image.sections().size()),
                        Map.of());
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

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return "tdvf";
    }

    @Override
    public Optional<String> picture() {
        return Optional.of(IntStream.range(0, image.sections().size())
                .mapToObj(i -> {
                    TdvfSection s = image.sections().get(i);
                    return "%2d  %-13s 0x%08x..0x%09x  image 0x%06x + 0x%06x%s%s"
                            .formatted(
                                    i,
                                    s.type(),
                                    s.gpa(),
                                    s.end(),
                                    s.dataOffset(),
                                    s.rawSize(),
                                    s.extend() ? "  MR.EXTEND" : "",
                                    s.augment() ? "  PAGE.AUG" : "");
                })
                .collect(Collectors.joining("\n")));
    }
}
