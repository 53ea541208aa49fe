using PaymentPlatform.Query.Sql.Worker;

if (args is [SqlWorker.Argument])
    return SqlWorker.Run();

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddQuery();

var app = builder.Build();
app.UseProblemAnswers();
app.UseAccess();
app.MapDefaultEndpoints();
app.MapQuery();
return app.RunService();
