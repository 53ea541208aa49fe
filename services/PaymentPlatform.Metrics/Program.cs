var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddMetrics();

var app = builder.Build();
app.UseProblemAnswers();
app.MapDefaultEndpoints();
app.MapMetrics();
app.Run();
