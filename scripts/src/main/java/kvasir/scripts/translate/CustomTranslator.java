package kvasir.scripts.translate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kvasir.grammar.Expression;
import kvasir.grammar.Identifier;
import kvasir.grammar.Statement;
import kvasir.scripts.Machines;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Spelling;

/** {@code semantics custom from v6.18 { no_slot ENOENT  progress eagain_on_partial }}: pairs of a policy and a word. */
final class CustomTranslator {
    private CustomTranslator() {}

    /** Declares the semantics; gives its name, or nothing if it cannot be. */
    static List<String> declare(Context context, Statement.CustomSemantics statement) {
        String base = statement.base().text();
        if (!context.machines().semantics().contains(base)) {
            context.report(
                    statement.base().span(),
                    Refusal.of("E0309", "unknown semantics `" + base + "`", "none is called so")
                            .help(Spelling.help(base, context.machines().semantics())));
            return List.of();
        }
        if (context.semantics().contains(statement.name().text())) {
            context.report(
                    statement.name().span(),
                    Refusal.of("E0310", "`" + statement.name().text() + "` is declared twice", "there is one already"));
        }
        Map<String, String> policies = new LinkedHashMap<>();
        for (Statement.Line line : statement.policies()) {
            List<Identifier> words = words(context, line);
            for (int i = 0; i + 1 < words.size(); i += 2) {
                policy(context, statement, words.get(i), words.get(i + 1), policies);
            }
            if (words.size() % 2 != 0) {
                context.report(
                        words.getLast().span(),
                        Refusal.of("E0319", "a policy and its word come in pairs", "its word is missing"));
            }
        }
        context.declare(new Machines.Custom(statement.name().text(), base, policies));
        return List.of(statement.name().text());
    }

    private static List<Identifier> words(Context context, Statement.Line line) {
        var words = new ArrayList<Identifier>();
        words.add(line.verb());
        for (Expression argument : line.arguments()) {
            switch (argument) {
                case Expression.Name name -> words.add(new Identifier(name.span(), name.name()));
                case Expression.Bool bool -> words.add(new Identifier(bool.span(), Boolean.toString(bool.value())));
                default ->
                    context.report(
                            argument.span(), Refusal.of("E0319", "a policy is chosen by a word", "this is no word"));
            }
        }
        return words;
    }

    private static void policy(
            Context context,
            Statement.CustomSemantics statement,
            Identifier policy,
            Identifier word,
            Map<String, String> policies) {
        var alone = new Machines.Custom(
                statement.name().text(), statement.base().text(), Map.of(policy.text(), word.text()));
        context.machines()
                .problems(alone)
                .forEach(problem ->
                        context.report(policy.span().to(word.span()), Refusal.of("E0319", problem, "no such choice")));
        policies.put(policy.text(), word.text());
    }
}
