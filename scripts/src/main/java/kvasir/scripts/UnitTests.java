package kvasir.scripts;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A folder of kvm-unit-tests: its {@code unittests.cfg} says which guest boots with which command line, on which machine
 * (kvm-unit-tests, docs/unittests.md).
 */
final class UnitTests {
    /** Guests that need what this machine does not have, with the reason. */
    private static final Map<String, String> OUT_OF_SCOPE = Map.ofEntries(
            Map.entry("vmx", "nested VMX"),
            Map.entry("svm", "nested SVM"),
            Map.entry("svm_npt", "nested SVM"),
            Map.entry("hyperv_clock", "Hyper-V enlightenments"),
            Map.entry("hyperv_connections", "Hyper-V enlightenments"),
            Map.entry("hyperv_stimer", "Hyper-V enlightenments"),
            Map.entry("hyperv_synic", "Hyper-V enlightenments"),
            Map.entry("vmware_backdoors", "VMware backdoor"),
            Map.entry("pmu", "performance counters"),
            Map.entry("pmu_lbr", "performance counters"),
            Map.entry("pmu_pebs", "performance counters"),
            Map.entry("cet", "control-flow enforcement"),
            Map.entry("intel-iommu", "an IOMMU"),
            Map.entry("asyncpf", "asynchronous page faults"),
            Map.entry("kvmclock_test", "the paravirtual clock"),
            Map.entry("s3", "ACPI sleep states"),
            Map.entry("tsx-ctrl", "TSX"),
            Map.entry("hpet_read_test", "an HPET"));

    private UnitTests() {}

    /**
     * One section of the file.
     *
     * @param options what {@link BootTool} gets
     * @param outOfScope why it is not run, if so
     */
    record Section(String name, Path file, Map<String, String> options, Optional<String> outOfScope) {}

    /** The sections in {@code folder}, in order. */
    static List<Section> read(Path folder) throws IOException {
        var sections = new ArrayList<Section>();
        String name = "";
        var values = new LinkedHashMap<String, String>();
        for (String line : Files.readAllLines(folder.resolve("unittests.cfg"))) {
            String text = line.strip();
            if (text.startsWith("[") && text.endsWith("]")) {
                add(sections, folder, name, values);
                name = text.substring(1, text.length() - 1);
                values.clear();
            } else if (!text.isEmpty() && !text.startsWith("#") && text.indexOf('=') > 0) {
                int equals = text.indexOf('=');
                values.put(
                        text.substring(0, equals).strip(),
                        unquoted(text.substring(equals + 1).strip()));
            }
        }
        add(sections, folder, name, values);
        return List.copyOf(sections);
    }

    private static String unquoted(String text) {
        boolean quoted = text.length() > 1
                && (text.charAt(0) == '"' || text.charAt(0) == '\'')
                && text.charAt(text.length() - 1) == text.charAt(0);
        return quoted ? text.substring(1, text.length() - 1) : text;
    }

    private static void add(List<Section> sections, Path folder, String name, Map<String, String> values) {
        String file = values.getOrDefault("file", "");
        if (name.isEmpty() || file.isEmpty()) {
            return;
        }
        var options = new LinkedHashMap<String, String>();
        Optional.ofNullable(values.get("smp")).ifPresent(smp -> options.put("--smp", smp));
        Optional.ofNullable(values.get("test_args")).ifPresent(line -> options.put("--args", line));
        parameters(values.getOrDefault("qemu_params", ""), options);
        sections.add(new Section(name, folder.resolve(file), Map.copyOf(options), reason(folder, file, values)));
    }

    private static Optional<String> reason(Path folder, String file, Map<String, String> values) {
        String guest = file.replaceFirst("\\.flat$", "");
        if (OUT_OF_SCOPE.containsKey(guest)) {
            return Optional.of(OUT_OF_SCOPE.get(guest));
        }
        boolean arch32 = values.getOrDefault("arch", "").equals("i386");
        if (arch32 || !Files.exists(folder.resolve(file))) {
            return Optional.of("not built" + (arch32 ? ": 32-bit" : ""));
        }
        if (List.of(values.getOrDefault("groups", "").split(" ")).contains("nodefault")) {
            return Optional.of("not run by default");
        }
        return values.getOrDefault("check", "").contains("allow_smaller_maxphyaddr")
                ? Optional.of("a host with a smaller MAXPHYADDR")
                : Optional.empty();
    }

    /** QEMU's options that shape the machine: {@code -cpu}, {@code -m} and {@code -machine pit=off}. */
    private static void parameters(String line, Map<String, String> options) {
        List<String> words = List.of(line.split(" +"));
        for (int i = 0; i + 1 < words.size(); i++) {
            String value = words.get(i + 1);
            switch (words.get(i)) {
                case "-m" -> options.put("--memory", value.matches("[0-9]+") ? value + "M" : value);
                case "-machine" -> {
                    if (value.contains("pit=off")) {
                        options.put("--no-pit", "");
                    }
                }
                case "-cpu" -> options.put("--cpu", model(value));
                default -> {}
            }
        }
    }

    /** The nearest model: of the vendor asked for, with the features that are added and taken away. */
    private static String model(String cpu) {
        var model = new StringBuilder(cpu.contains("AuthenticAMD") ? "EPYC-Milan" : "SapphireRapids");
        for (String word : cpu.split(",", -1)) {
            if ((word.startsWith("+") || word.startsWith("-")) && BootTool.isFeature(word)) {
                model.append(',').append(word);
            }
        }
        return model.toString();
    }
}
