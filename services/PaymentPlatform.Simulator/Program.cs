var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddSimulator();

var app = builder.Build();
app.UseProblemAnswers();
app.UseAccess();
app.MapDefaultEndpoints();
app.MapSimulator();
return app.RunService();
