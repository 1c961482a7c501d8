using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Verification;

/// <summary>The problems that a verification found, in the order found, and the answer to each question that follows from them.</summary>
/// <param name="most">The number of problems that are kept; the others are only counted.</param>
internal sealed class VerifyFindings(int most)
{
    private readonly List<VerifyProblem> _problems = [];
    private readonly Dictionary<string, VerifyAnswer> _answers = new(StringComparer.Ordinal);

    public IReadOnlyList<VerifyProblem> Problems => _problems;

    /// <summary>The number of all problems.</summary>
    public long Count { get; private set; }

    public void Fail(string question, string code, string file, string message) => Add(new(question, code, file, message, VerifyAnswer.Fails));

    public void Undecided(string question, string code, string file, string message) =>
        Add(new(question, code, file, message, VerifyAnswer.Undecided));

    public void Add(VerifyProblem problem)
    {
        // Escaped here because names in a hostile bundle may contain terminal escape sequences.
        problem = problem with { Path = PrintableText.Of(problem.Path), Message = PrintableText.Of(problem.Message) };
        Count++;
        if (_problems.Count < most)
            _problems.Add(problem);
        if (!_answers.TryGetValue(problem.Question, out var answer) || answer != VerifyAnswer.Fails)
            _answers[problem.Question] = problem.Answer;
    }

    /// <summary>Calls the function; returns its result, or the default after adding its exception as a problem.</summary>
    public T? Guarded<T>(string question, string file, Func<T?> read)
    {
        var (value, problem) = BundleFiles.Try(question, file, read);
        if (problem is not null)
            Add(problem);
        return value;
    }

    /// <summary>Returns the line of a question: its first problem of the worst kind or, without a problem, the given answer.</summary>
    public VerifyLine Line(string question, VerifyAnswer otherwise, string detail)
    {
        if (!_answers.TryGetValue(question, out var answer))
            return new(question, otherwise, detail);
        var first = _problems.FirstOrDefault(p => p.Question == question && p.Answer == answer);
        return new(question, answer, first is null ? "see the problems" : $"{first.Code} {first.Path}: {first.Message}");
    }
}
