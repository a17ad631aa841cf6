package kvasir.scripts;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.vmm.launch.DirectBoot;
import kvasir.vmm.launch.LaunchRefused;
import kvasir.vmm.launch.OvmfImage;
import kvasir.vmm.launch.SnpDigest;
import kvasir.vmm.launch.SnpLaunchPlan;
import kvasir.vmm.launch.VcpuModel;
import kvasir.vmm.launch.VmmType;

/**
 * {@code kvs snp-digest}: launches a guest on an emulated platform and says what was measured.
 *
 * @param options the command's options by name with dashes; a flag has the empty value
 */
public record SnpDigestTool(Map<String, String> options) {
    private static final int MOST_BYTES = 1 << 29;
    private static final int MOST_VCPUS = 4096; // KVM_MAX_VCPUS at its largest

    /**
     * What is to be printed.
     *
     * @param text lines without a last newline
     * @param refused whether it is the reason for a refusal instead of a digest
     */
    public record Answer(String text, boolean refused) {}

    /** Launches from the image in the file {@code ovmf}. */
    public Answer run(String ovmf) {
        try {
            SnpDigest.Result result = SnpDigest.of(options(ovmf));
            var lines = new ArrayList<String>();
            if (has("--ledger")) {
                result.ledger().flatMap(Described::picture).ifPresent(lines::add);
            }
            if (has("--diff") && result.ledger().isPresent()) {
                SnpDigest.Result other = SnpDigest.of(options(value("--diff").orElse("")));
                lines.add(other.ledger()
                        .flatMap(ledger -> result.ledger().get().diff(ledger))
                        .orElse("equal"));
            }
            lines.add(result.digest().hex());
            return new Answer(String.join("\n", lines), false);
        } catch (LaunchRefused refused) {
            return new Answer(refused.reason(), true);
        } catch (IOException e) {
            return new Answer("cannot read " + e.getMessage(), true);
        }
    }

    private boolean has(String option) {
        return options.containsKey(option);
    }

    private Optional<String> value(String option) {
        return Optional.ofNullable(options.get(option));
    }

    private SnpDigest.Options options(String image) throws LaunchRefused, IOException {
        SnpDigest.Mode mode = word(SnpDigest.Mode.values(), "--mode", "snp");
        long vcpus = number("--vcpus", 1);
        if (vcpus < 1 || vcpus > MOST_VCPUS) {
            throw new LaunchRefused("--vcpus wants 1 to %d, not %d".formatted(MOST_VCPUS, vcpus));
        }
        if (mode == SnpDigest.Mode.SNP && (number("--features", 1) & 1) == 0) {
            throw new LaunchRefused("--features without bit 0 (SNPActive): the firmware refuses such a VMSA");
        }
        if (mode != SnpDigest.Mode.SNP && (has("--ledger") || has("--diff") || has("--ovmf-hash"))) {
            throw new LaunchRefused(
                    "--ledger, --diff and --ovmf-hash belong to --mode snp: other launches measure one run of bytes");
        }
        Optional<DirectBoot> boot = has("--kernel")
                ? Optional.of(new DirectBoot(
                        file(value("--kernel")),
                        file(value("--initrd")),
                        value("--append").orElse("")))
                : Optional.empty();
        if (boot.isEmpty() && (has("--initrd") || has("--append"))) {
            throw new LaunchRefused("--initrd and --append belong to a direct boot: give --kernel too");
        }
        return new SnpDigest.Options(
                mode,
                new SnpLaunchPlan.Request(
                        OvmfImage.parse(file(Optional.of(image))),
                        boot,
                        (int) vcpus,
                        signature(),
                        number("--features", 1),
                        word(VmmType.values(), "--vmm", "qemu")),
                hash());
    }

    private Optional<Bytes> hash() throws LaunchRefused {
        Optional<String> given = value("--ovmf-hash");
        if (given.isPresent() && !given.get().matches("[0-9a-fA-F]{96}")) {
            throw new LaunchRefused("--ovmf-hash wants the 96 hexadecimal digits of a launch digest");
        }
        return given.map(Bytes::fromHex);
    }

    private static Bytes file(Optional<String> name) throws IOException, LaunchRefused {
        if (name.isEmpty()) {
            return Bytes.of();
        }
        Path path = Path.of(name.get());
        if (Files.isDirectory(path)) {
            throw new LaunchRefused("cannot read %s: it is a directory".formatted(path));
        }
        try (InputStream in = Files.newInputStream(path)) {
            byte[] content = in.readNBytes(MOST_BYTES + 1);
            if (content.length > MOST_BYTES) {
                throw new LaunchRefused("%s has more than %d MiB".formatted(path, MOST_BYTES >> 20));
            }
            return Bytes.of(content);
        }
    }

    private int signature() throws LaunchRefused {
        if (has("--vcpu-sig")) {
            return (int) number("--vcpu-sig", 0);
        }
        String name = value("--vcpu-type").orElse("EPYC-v4");
        return VcpuModel.named(name)
                .orElseThrow(() -> new LaunchRefused("no processor `" + name + "`; there are "
                        + String.join(", ", VcpuModel.names()) + ", and --vcpu-sig takes any signature"))
                .signature();
    }

    private long number(String option, long otherwise) throws LaunchRefused {
        Optional<String> given = value(option);
        try {
            return given.isPresent() ? Long.decode(given.get()) : otherwise;
        } catch (NumberFormatException e) {
            throw new LaunchRefused(option + " wants a number, not `" + given.orElse("") + "`");
        }
    }

    private <E extends Enum<E>> E word(E[] words, String option, String otherwise) throws LaunchRefused {
        String given = value(option).orElse(otherwise);
        return Arrays.stream(words)
                .filter(w -> w.name().toLowerCase(Locale.ROOT).replace('_', '-').equals(given))
                .findFirst()
                .orElseThrow(() -> new LaunchRefused("no `" + given + "` for " + option));
    }
}
